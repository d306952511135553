/* The physical limit: what the daemon does on Kafka, without deciding anything.
 *
 * One consumer, one transactional producer, and (with a URL) one curl multi handle with 64 connections. For each command five
 * events with eight headers and one state; one POST; for its answer three events, one posting and one state. Transactions
 * back to back, each with what has come in, positions in every one of them. Prints throughput, CPU and latency.
 *
 * `make`, then build/kafka_null_pipeline BOOTSTRAP PREFIX COUNT MAX-PER-TRANSACTION [URL]
 * Topics PREFIXcommands, …events, …settlements, …state must exist with equal partition counts and COUNT commands in the
 * first (KafkaLogBenchmark and `switchyard send` fill them).
 */
#include <curl/curl.h>
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define CONNECTIONS 64
#define EVENT 400
#define STATE 1000

typedef struct { char key[64]; size_t length; int32_t partition; } payout;
typedef struct { payout *items; size_t first, count, room; } queue;

static rd_kafka_t *consumer, *producer;
static rd_kafka_topic_t *events, *settlements, *state;
static char commands[256], event_value[EVENT], state_value[STATE];
static size_t failed;
static int64_t *positions;
static int partitions_seen;

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static double cpu(void) {
    struct rusage u; getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
static void die(const char *what, const char *why) { fprintf(stderr, "%s: %s\n", what, why); exit(1); }
static void check(rd_kafka_error_t *e, const char *what) { if (e) die(what, rd_kafka_error_string(e)); }
static void set(rd_kafka_conf_t *c, const char *k, const char *v) {
    char text[256]; if (rd_kafka_conf_set(c, k, v, text, sizeof text)) die(k, text);
}
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *o) { (void)rk; (void)o; if (m->err) failed++; }
static void push(queue *q, payout p) {
    if (q->first + q->count == q->room) {
        if (q->first) { memmove(q->items, q->items + q->first, q->count * sizeof *q->items); q->first = 0; }
        if (q->count == q->room) { q->room = q->room ? q->room * 2 : 1024; q->items = realloc(q->items, q->room * sizeof *q->items); }
    }
    q->items[q->first + q->count++] = p;
}
static payout pop(queue *q) { q->count--; return q->items[q->first++]; }

static void produce(rd_kafka_topic_t *topic, const payout *p, const void *value, size_t size, int headers) {
    rd_kafka_headers_t *list = headers ? rd_kafka_headers_new(headers) : NULL;
    for (int i = 0; i < headers; i++) rd_kafka_header_add(list, "ce_something", 12, p->key, p->length);
    for (;;) {
        rd_kafka_error_t *e;
        if (list)
            e = rd_kafka_produceva(producer, (rd_kafka_vu_t[]) {
                { RD_KAFKA_VTYPE_RKT, { .rkt = topic } }, { RD_KAFKA_VTYPE_PARTITION, { .i32 = p->partition } },
                { RD_KAFKA_VTYPE_MSGFLAGS, { .i = RD_KAFKA_MSG_F_COPY } },
                { RD_KAFKA_VTYPE_KEY, { .mem = { (void *)p->key, p->length } } },
                { RD_KAFKA_VTYPE_VALUE, { .mem = { (void *)value, size } } }, { RD_KAFKA_VTYPE_HEADERS, { .headers = list } } }, 6);
        else
            e = rd_kafka_produceva(producer, (rd_kafka_vu_t[]) {
                { RD_KAFKA_VTYPE_RKT, { .rkt = topic } }, { RD_KAFKA_VTYPE_PARTITION, { .i32 = p->partition } },
                { RD_KAFKA_VTYPE_MSGFLAGS, { .i = RD_KAFKA_MSG_F_COPY } },
                { RD_KAFKA_VTYPE_KEY, { .mem = { (void *)p->key, p->length } } },
                { RD_KAFKA_VTYPE_VALUE, { .mem = { (void *)value, size } } } }, 5);
        if (!e) return;
        if (rd_kafka_error_code(e) != RD_KAFKA_RESP_ERR__QUEUE_FULL) check(e, "produce");
        rd_kafka_error_destroy(e);
        rd_kafka_poll(producer, 10);
    }
}

static void commit(void) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions_seen);
    for (int i = 0; i < partitions_seen; i++)
        if (positions[i] >= 0) rd_kafka_topic_partition_list_add(list, commands, i)->offset = positions[i];
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer);
    check(rd_kafka_send_offsets_to_transaction(producer, list, group, 10000), "offsets");
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(list);
    check(rd_kafka_commit_transaction(producer, 10000), "commit");
    if (failed) die("delivery", "failed");
}

static size_t swallow(char *p, size_t s, size_t n, void *u) { (void)p; (void)u; return s * n; }

int main(int argc, char **argv) {
    if (argc < 5) die("usage", "kafka_null_pipeline BOOTSTRAP PREFIX COUNT MAX-PER-TRANSACTION [URL]");
    long total = atol(argv[3]), most = atol(argv[4]);
    const char *url = argc > 5 ? argv[5] : NULL;
    char text[512], name[300];
    memset(event_value, 'a', sizeof event_value); memset(state_value, 'b', sizeof state_value);
    snprintf(commands, sizeof commands, "%scommands", argv[2]);
    snprintf(name, sizeof name, "null-%ld", (long)time(NULL));

    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]); set(conf, "group.id", name); set(conf, "enable.auto.commit", "false");
    set(conf, "auto.offset.reset", "earliest"); set(conf, "isolation.level", "read_committed");
    set(conf, "queued.min.messages", "5000"); set(conf, "check.crcs", "true");
    if (!(consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text))) die("consumer", text);
    rd_kafka_poll_set_consumer(consumer);
    conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]); set(conf, "transactional.id", name); set(conf, "retry.backoff.ms", "1");
    set(conf, "linger.ms", "5"); set(conf, "batch.size", "1000000"); set(conf, "queue.buffering.max.messages", "500000");
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    if (!(producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text))) die("producer", text);
    check(rd_kafka_init_transactions(producer, 20000), "init");
    snprintf(name, sizeof name, "%sevents", argv[2]); events = rd_kafka_topic_new(producer, name, NULL);
    snprintf(name, sizeof name, "%ssettlements", argv[2]); settlements = rd_kafka_topic_new(producer, name, NULL);
    snprintf(name, sizeof name, "%sstate", argv[2]); state = rd_kafka_topic_new(producer, name, NULL);
    positions = malloc(4096 * sizeof *positions);
    for (int i = 0; i < 4096; i++) positions[i] = -1;
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, commands, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(consumer, topics);

    curl_global_init(CURL_GLOBAL_ALL);
    CURLM *multi = curl_multi_init();
    CURL *idle[CONNECTIONS]; int idles = 0; payout running[CONNECTIONS]; int in_flight = 0;
    for (int i = 0; url && i < CONNECTIONS; i++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, url); curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "{\"reference\":\"X\"}"); curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)(intptr_t)i);
        idle[idles++] = easy;
    }
    queue received = { 0 }, send = { 0 }, answered = { 0 };
    long done = 0, taken = 0, transactions = 0; double start = 0, start_cpu = 0;
    while (done < total) {
        int wait = received.count || send.count || answered.count || in_flight ? 0 : 50;
        rd_kafka_message_t *m;
        while ((long)received.count < most && taken < total && (m = rd_kafka_consumer_poll(consumer, wait))) {
            wait = 0;
            if (!m->err && m->key_len < sizeof received.items->key) {
                if (!start) { start = now(); start_cpu = cpu(); }
                payout p = { .length = m->key_len, .partition = m->partition };
                memcpy(p.key, m->key, m->key_len);
                push(&received, p); taken++;
                if (m->partition >= partitions_seen) partitions_seen = m->partition + 1;
                positions[m->partition] = m->offset + 1;
            }
            rd_kafka_message_destroy(m);
        }
        size_t answers = answered.count, fresh = received.count;
        if (answers || fresh) {
            check(rd_kafka_begin_transaction(producer), "begin");
            for (size_t i = 0; i < answers; i++) {
                payout p = pop(&answered);
                for (int k = 0; k < 3; k++) produce(events, &p, event_value, EVENT, 8);
                produce(settlements, &p, event_value, EVENT, 8); produce(state, &p, state_value, STATE, 0);
            }
            for (size_t i = 0; i < fresh; i++) {
                payout p = pop(&received);
                for (int k = 0; k < 5; k++) produce(events, &p, event_value, EVENT, 8);
                produce(state, &p, state_value, STATE, 0);
                push(url ? &send : &answered, p);
            }
            commit();
            transactions++; done += answers;
        }
        while (url && (in_flight || send.count)) {
            while (send.count && idles) {
                CURL *easy = idle[--idles]; char *slot; curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
                running[(intptr_t)slot] = pop(&send); curl_multi_add_handle(multi, easy); in_flight++;
            }
            int active, left; CURLMsg *message;
            curl_multi_perform(multi, &active);
            while ((message = curl_multi_info_read(multi, &left))) {
                CURL *easy = message->easy_handle; char *slot; curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
                if (message->data.result != CURLE_OK) die("http", curl_easy_strerror(message->data.result));
                curl_multi_remove_handle(multi, easy); idle[idles++] = easy; in_flight--;
                push(&answered, running[(intptr_t)slot]);
            }
            if (answered.count) break;
            curl_multi_poll(multi, NULL, 0, 10, NULL);
        }
    }
    double seconds = now() - start, used = cpu() - start_cpu;
    printf("null pipeline: %ld payouts, %ld transactions, %.0f payouts/s, %.0f us CPU each\n", total, transactions,
           total / seconds, used / total * 1e6);
    rd_kafka_consumer_close(consumer);
    return 0;
}
