/* The physical limit: what the daemon does on Kafka, without deciding anything.
 *
 * Shards as in the daemon: each one thread, one consumer of the group and one transactional producer; one thread with a
 * curl multi handle for the partner. For each command the records that the daemon writes when it has decided (stage 0 of
 * the shape: five events, one state); one POST; for its answer, which nobody parses, those of stage 1 (three events, one
 * posting, one state). Transactions back to back, each with all that has come in and with positions; a POST starts after
 * the commit of its stage 0. The records' bytes are the daemon's own (kafka_load … shape), only their key is new.
 *
 * build/kafka_null_pipeline BOOTSTRAP PREFIX SHAPE URL SHARDS CONNECTIONS runs until SIGTERM.
 */
#include "kafka_support.h"
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MOST 4096 /* commands of one transaction at most, as the daemon's limits.inputsPerCommit */
#define BODY 420  /* bytes of a transfer as the daemon's adapter writes it */

typedef struct { char key[64]; int length, partition, shard; } payout;
typedef struct { payout *items; size_t first, count, room; pthread_mutex_t lock; } queue;
typedef struct {
    int index, bell;
    rd_kafka_t *consumer, *producer;
    rd_kafka_topic_t *topics[TOPICS];
    queue received, answered, fresh_answers;
    int64_t positions[256];
    size_t failed;
    long transactions, settled;
} shard;

static const char *bootstrap, *prefix, *url;
static char commands[300], group[64];
static shape records;
static shard *shards;
static int shard_count, connections, partitions;
static CURLM *multi;
static queue outgoing = { .lock = PTHREAD_MUTEX_INITIALIZER };
static volatile sig_atomic_t stopping;

static void push(queue *q, payout p) {
    if (q->first + q->count == q->room) {
        if (q->first) { memmove(q->items, q->items + q->first, q->count * sizeof *q->items); q->first = 0; }
        if (q->count == q->room) {
            q->room = q->room ? q->room * 2 : 1024;
            if (!(q->items = realloc(q->items, q->room * sizeof *q->items))) die("memory", "used up");
        }
    }
    q->items[q->first + q->count++] = p;
}
static payout pop(queue *q) { q->count--; return q->items[q->first++]; }
/* Takes everything out of a shared queue; `into` is empty. */
static void swap(queue *shared, queue *into) {
    pthread_mutex_lock(&shared->lock);
    payout *items = into->items;
    size_t room = into->room;
    into->items = shared->items; into->first = shared->first; into->count = shared->count; into->room = shared->room;
    shared->items = items; shared->room = room; shared->first = shared->count = 0;
    pthread_mutex_unlock(&shared->lock);
}

static void produce(shard *s, const record *r, const payout *p) {
    for (;;) {
        rd_kafka_headers_t *list = r->headers ? rd_kafka_headers_new((size_t)r->headers) : NULL;
        for (int i = 0; i < r->headers; i++)
            rd_kafka_header_add(list, r->header[i].name, -1, r->header[i].value, (ssize_t)r->header[i].length);
        rd_kafka_vu_t units[6] = {
            { RD_KAFKA_VTYPE_RKT, { .rkt = s->topics[r->topic] } }, { RD_KAFKA_VTYPE_PARTITION, { .i32 = p->partition } },
            { RD_KAFKA_VTYPE_MSGFLAGS, { .i = RD_KAFKA_MSG_F_COPY } },
            { RD_KAFKA_VTYPE_KEY, { .mem = { (void *)p->key, (size_t)p->length } } },
            { RD_KAFKA_VTYPE_VALUE, { .mem = { r->value, r->length } } }, { RD_KAFKA_VTYPE_HEADERS, { .headers = list } } };
        rd_kafka_error_t *e = rd_kafka_produceva(s->producer, units, list ? 6 : 5);
        if (!e) return;
        if (rd_kafka_error_code(e) != RD_KAFKA_RESP_ERR__QUEUE_FULL) check(e, "produce");
        rd_kafka_error_destroy(e);
        if (list) rd_kafka_headers_destroy(list);
        rd_kafka_poll(s->producer, 10);
    }
}
static void produce_stage(shard *s, int stage, const payout *p) {
    for (int i = 0; i < records.count; i++) if (records.records[i].stage == stage) produce(s, &records.records[i], p);
}

static void commit(shard *s) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++)
        if (s->positions[i] >= 0) rd_kafka_topic_partition_list_add(list, commands, i)->offset = s->positions[i];
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(s->consumer);
    check(rd_kafka_send_offsets_to_transaction(s->producer, list, metadata, 10000), "offsets");
    rd_kafka_consumer_group_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_destroy(list);
    check(rd_kafka_commit_transaction(s->producer, 10000), "commit");
    if (s->failed) die("delivery", "failed");
    s->transactions++;
}

/* One turn of a shard: everything that has come in becomes one transaction. */
static void turn(shard *s) {
    rd_kafka_message_t *m;
    while (s->received.count < MOST && (m = rd_kafka_consumer_poll(s->consumer, 0))) {
        if (!m->err && m->key_len < sizeof(payout) && m->key_len < 64) {
            payout p = { .length = (int)m->key_len, .partition = m->partition, .shard = s->index };
            memcpy(p.key, m->key, m->key_len);
            push(&s->received, p);
            s->positions[m->partition] = m->offset + 1;
        }
        rd_kafka_message_destroy(m);
    }
    swap(&s->fresh_answers, &s->answered);
    size_t answers = s->answered.count, fresh = s->received.count;
    if (!answers && !fresh) {
        uint64_t rung;
        struct pollfd bell = { .fd = s->bell, .events = POLLIN };
        if (poll(&bell, 1, 100) > 0 && read(s->bell, &rung, 8) < 0 && errno != EAGAIN) die("bell", strerror(errno));
        rd_kafka_poll(s->producer, 0);
        return;
    }
    check(rd_kafka_begin_transaction(s->producer), "begin");
    for (size_t i = 0; i < answers; i++) { payout p = pop(&s->answered); produce_stage(s, 1, &p); }
    for (size_t i = 0; i < fresh; i++) produce_stage(s, 0, &s->received.items[s->received.first + i]);
    commit(s);
    s->settled += (long)answers;
    if (!fresh) return;
    pthread_mutex_lock(&outgoing.lock);
    for (size_t i = 0; i < fresh; i++) push(&outgoing, pop(&s->received));
    pthread_mutex_unlock(&outgoing.lock);
    curl_multi_wakeup(multi);
}
static void *run_shard(void *context) {
    while (!stopping) turn(context);
    rd_kafka_consumer_close(((shard *)context)->consumer);
    return NULL;
}

static size_t swallow(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes; (void)context;
    return size * count;
}

typedef struct { CURL *easy; struct curl_slist *lines; char body[BODY + 200]; payout payout; } exchange;
static exchange *exchanges;
static int *idle, idles;

static void send_transfer(exchange *x, payout p) {
    char line[128];
    x->payout = p;
    int length = snprintf(x->body, sizeof x->body, "{\"amount\":{\"currency\":\"EUR\",\"minorUnits\":1000},\"reference\":\"N%.*s\",\"rail\":\"",
                          p.length, p.key);
    memset(x->body + length, 'r', (size_t)(BODY - 2 - length));
    memcpy(x->body + BODY - 2, "\"}", 3);
    curl_slist_free_all(x->lines);
    x->lines = curl_slist_append(NULL, "Content-Type: application/json");
    x->lines = curl_slist_append(x->lines, "Accept: application/json");
    snprintf(line, sizeof line, "Idempotency-Key: %.*s-%08x-and-more", p.length, p.key, rand());
    x->lines = curl_slist_append(x->lines, line);
    x->lines = curl_slist_append(x->lines, "Expect:");
    curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->lines);
    curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, x->body);
    curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE, (long)BODY);
    curl_multi_add_handle(multi, x->easy);
}

static void *run_http(void *unused) {
    (void)unused;
    queue waiting = { 0 };
    int in_flight = 0;
    while (!stopping) {
        if (!waiting.count) swap(&outgoing, &waiting);
        while (waiting.count && idles) { send_transfer(&exchanges[idle[--idles]], pop(&waiting)); in_flight++; }
        int active, left;
        CURLMsg *message;
        char rung[256] = { 0 };
        curl_multi_perform(multi, &active);
        while ((message = curl_multi_info_read(multi, &left))) {
            char *slot;
            if (message->data.result != CURLE_OK) die("http", curl_easy_strerror(message->data.result));
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
            exchange *x = (exchange *)(void *)slot;
            curl_multi_remove_handle(multi, x->easy);
            shard *s = &shards[x->payout.shard];
            pthread_mutex_lock(&s->fresh_answers.lock);
            push(&s->fresh_answers, x->payout);
            pthread_mutex_unlock(&s->fresh_answers.lock);
            rung[s->index] = 1;
            idle[idles++] = (int)(x - exchanges);
            in_flight--;
        }
        for (int i = 0; i < shard_count; i++)
            if (rung[i] && write(shards[i].bell, &(uint64_t) { 1 }, 8) < 0) die("bell", strerror(errno));
        if (!idles || !waiting.count) curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
    return NULL;
}

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *m, void *context) {
    (void)client;
    if (m->err) ((shard *)context)->failed++;
}
/* Takes an assignment only when every shard has its share: nothing is read twice. */
static void rebalanced(rd_kafka_t *client, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *context) {
    shard *s = context;
    for (int i = 0; i < 256; i++) s->positions[i] = -1;
    if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) { rd_kafka_assign(client, NULL); return; }
    if (list->cnt == partitions / shard_count) {
        fprintf(stderr, "shard %d has its %d partitions\n", s->index, list->cnt);
        rd_kafka_assign(client, list);
        return;
    }
    rd_kafka_topic_partition_list_t *nothing = rd_kafka_topic_partition_list_new(1);
    rd_kafka_assign(client, nothing);
    rd_kafka_topic_partition_list_destroy(nothing);
}

static void open_shard(shard *s, int index) {
    char text[512], id[128];
    s->index = index;
    s->bell = eventfd(0, EFD_NONBLOCK);
    pthread_mutex_init(&s->fresh_answers.lock, NULL);
    rd_kafka_conf_t *conf = settings(bootstrap);
    set(conf, "group.id", group); set(conf, "enable.auto.commit", "false"); set(conf, "enable.auto.offset.store", "false");
    set(conf, "auto.offset.reset", "earliest"); set(conf, "isolation.level", "read_committed");
    set(conf, "partition.assignment.strategy", "range"); set(conf, "session.timeout.ms", "10000");
    set(conf, "heartbeat.interval.ms", "1000"); set(conf, "queued.min.messages", "5000");
    set(conf, "queued.max.messages.kbytes", "8192"); set(conf, "fetch.error.backoff.ms", "100"); set(conf, "check.crcs", "true");
    rd_kafka_conf_set_opaque(conf, s);
    rd_kafka_conf_set_rebalance_cb(conf, rebalanced);
    if (!(s->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text))) die("consumer", text);
    rd_kafka_poll_set_consumer(s->consumer);
    rd_kafka_queue_io_event_enable(rd_kafka_queue_get_consumer(s->consumer), s->bell, &(uint64_t) { 1 }, 8);
    conf = settings(bootstrap);
    snprintf(id, sizeof id, "%s-%d", group, index);
    set(conf, "transactional.id", id); set(conf, "enable.idempotence", "true"); set(conf, "acks", "all");
    set(conf, "partitioner", "murmur2_random"); set(conf, "transaction.timeout.ms", "15000"); set(conf, "retry.backoff.ms", "1");
    set(conf, "linger.ms", "100"); set(conf, "batch.size", "1000000"); set(conf, "queue.buffering.max.messages", "500000");
    set(conf, "queue.buffering.max.kbytes", "524288"); set(conf, "message.max.bytes", "2000000");
    rd_kafka_conf_set_opaque(conf, s);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    if (!(s->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text))) die("producer", text);
    check(rd_kafka_init_transactions(s->producer, 20000), "init");
    for (int t = 0; t < TOPICS; t++) {
        snprintf(text, sizeof text, "%s%s", prefix, output_topics[t]);
        s->topics[t] = rd_kafka_topic_new(s->producer, text, NULL);
    }
    if (!partitions) partitions = partition_count(s->producer, commands);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, commands, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(s->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void stop(int signal) { (void)signal; stopping = 1; }

int main(int argc, char **argv) {
    if (argc != 7) die("usage", "kafka_null_pipeline BOOTSTRAP PREFIX SHAPE URL SHARDS CONNECTIONS");
    bootstrap = argv[1]; prefix = argv[2]; records = load_shape(argv[3]); url = argv[4];
    shard_count = atoi(argv[5]); connections = atoi(argv[6]);
    if (shard_count < 1 || shard_count > 256) die("usage", "SHARDS");
    snprintf(commands, sizeof commands, "%scommands", prefix);
    snprintf(group, sizeof group, "null-%ld", (long)time(NULL));
    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_ALL);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections);
    exchanges = room((size_t)connections, sizeof *exchanges);
    idle = room((size_t)connections, sizeof *idle);
    for (int i = 0; i < connections; i++) {
        CURL *easy = exchanges[i].easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, url); curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)&exchanges[i]); curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L); curl_easy_setopt(easy, CURLOPT_POST, 1L);
        idle[idles++] = i;
    }
    shards = room((size_t)shard_count, sizeof *shards);
    for (int i = 0; i < shard_count; i++) open_shard(&shards[i], i);
    pthread_t *threads = room((size_t)shard_count + 1, sizeof *threads);
    pthread_create(&threads[shard_count], NULL, run_http, NULL);
    for (int i = 0; i < shard_count; i++) pthread_create(&threads[i], NULL, run_shard, &shards[i]);
    for (int i = 0; i <= shard_count; i++) pthread_join(threads[i], NULL);
    long transactions = 0, settled = 0;
    for (int i = 0; i < shard_count; i++) { transactions += shards[i].transactions; settled += shards[i].settled; }
    printf("{\"settled\": %ld, \"transactions\": %ld}\n", settled, transactions);
    fflush(stdout);
    _exit(0);
}
