/* Drives and watches the daemon and the null pipeline from outside, in the same way.
 *
 *   kafka_load BOOTSTRAP PREFIX topics PARTITIONS        makes the topics as the daemon would
 *   kafka_load BOOTSTRAP PREFIX remove                   deletes them
 *   kafka_load BOOTSTRAP PREFIX fill COUNT [FIRST]       COUNT commands at full speed
 *   kafka_load BOOTSTRAP PREFIX watch COUNT              a line "SECONDS SETTLED" every 100 ms until COUNT are settled
 *   kafka_load BOOTSTRAP PREFIX rate PER-SECOND SECONDS  open loop: JSON with latencies from the moment each was due
 *   kafka_load BOOTSTRAP PREFIX shape FILE               the records of one settled payout, for the null pipeline
 *
 * A payout counts as settled when a read_committed consumer has its posting (watch) or its settled event (rate).
 */
#include "kafka_support.h"
#include <pthread.h>
#include <unistd.h>

static const char *bootstrap, *prefix;
static char name[300];
static const char *full(const char *topic) { snprintf(name, sizeof name, "%s%s", prefix, topic); return name; }

static rd_kafka_t *producer(const char *linger) {
    char text[512];
    rd_kafka_conf_t *conf = settings(bootstrap);
    set(conf, "enable.idempotence", "true");
    set(conf, "partitioner", "murmur2_random");
    set(conf, "linger.ms", linger);
    set(conf, "queue.buffering.max.messages", "1000000");
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!client) die("producer", text);
    return client;
}

static void administer(int make, int partitions) {
    static const char *const topics[] = { "commands", "notifications", "events", "settlements", "state", "dead-letters" };
    char text[256];
    rd_kafka_t *client = producer("0");
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_NewTopic_t *fresh[6];
    rd_kafka_DeleteTopic_t *gone[6];
    for (int i = 0; i < 6; i++) {
        gone[i] = rd_kafka_DeleteTopic_new(full(topics[i]));
        fresh[i] = rd_kafka_NewTopic_new(full(topics[i]), make ? partitions : 1, -1, text, sizeof text);
        rd_kafka_NewTopic_set_config(fresh[i], "cleanup.policy", i == 4 ? "compact" : "delete");
        if (i == 4) rd_kafka_NewTopic_set_config(fresh[i], "delete.retention.ms", "604800000");
        if (i < 2) rd_kafka_NewTopic_set_config(fresh[i], "retention.ms", "604800000");
        if (i == 2 || i == 3) rd_kafka_NewTopic_set_config(fresh[i], "retention.ms", "-1");
        if (i == 5) rd_kafka_NewTopic_set_config(fresh[i], "max.message.bytes", "2097152");
    }
    if (make) rd_kafka_CreateTopics(client, fresh, 6, NULL, queue);
    else rd_kafka_DeleteTopics(client, gone, 6, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (!event || rd_kafka_event_error(event)) die("topics", event ? rd_kafka_event_error_string(event) : "no answer");
    if (make) for (int i = 0; i < 6; i++) partition_count(client, full(topics[i]));
}

static void send_command(rd_kafka_t *client, rd_kafka_topic_t *topic, long number) {
    char key[48], id[48], value[800], time_text[40];
    int length = snprintf(key, sizeof key, "bench-payout-%010ld", number);
    int id_length = snprintf(id, sizeof id, "command-%010ld", number);
    struct timespec at;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &at);
    gmtime_r(&at.tv_sec, &parts);
    size_t time_length = strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &parts);
    time_length += (size_t)snprintf(time_text + time_length, sizeof time_text - time_length, ".%03ldZ", at.tv_nsec / 1000000);
    int size = snprintf(
        value, sizeof value,
        "{\"instructedAmount\":{\"currency\":\"EUR\",\"minorUnits\":%ld},\"endToEndId\":\"INV-%ld\","
        "\"debtor\":{\"name\":\"Acme BV\",\"account\":{\"iban\":\"NL91ABNA0417164300\"}},"
        "\"creditor\":{\"name\":\"Example GmbH\",\"account\":{\"iban\":\"DE89370400440532013000\"},"
        "\"agent\":{\"bic\":\"COBADEFFXXX\"},\"address\":{\"country\":\"DE\",\"townName\":\"Köln\",\"postCode\":\"50667\"}},"
        "\"purpose\":\"SUPP\",\"remittanceInformation\":\"Invoice %ld\",\"metadata\":{\"tenant\":\"t-7\"}}",
        1000 + number % 90000, number, number);
    struct { const char *name, *value; int length; } fields[] = {
        { "ce_specversion", "1.0", 3 }, { "ce_id", id, id_length }, { "ce_source", "urn:switchyard:bench", 20 },
        { "ce_type", "io.switchyard.payout.initiate.v1", 32 }, { "ce_subject", key, length },
        { "ce_time", time_text, (int)time_length }, { "content-type", "application/json", 16 } };
    for (;;) {
        rd_kafka_headers_t *headers = rd_kafka_headers_new(7);
        for (int i = 0; i < 7; i++) rd_kafka_header_add(headers, fields[i].name, -1, fields[i].value, fields[i].length);
        rd_kafka_error_t *e = rd_kafka_produceva(client, (rd_kafka_vu_t[]) {
            { RD_KAFKA_VTYPE_RKT, { .rkt = topic } }, { RD_KAFKA_VTYPE_MSGFLAGS, { .i = RD_KAFKA_MSG_F_COPY } },
            { RD_KAFKA_VTYPE_KEY, { .mem = { key, (size_t)length } } },
            { RD_KAFKA_VTYPE_VALUE, { .mem = { value, (size_t)size } } }, { RD_KAFKA_VTYPE_HEADERS, { .headers = headers } } }, 5);
        if (!e) return;
        if (rd_kafka_error_code(e) != RD_KAFKA_RESP_ERR__QUEUE_FULL) check(e, "produce");
        rd_kafka_headers_destroy(headers);
        rd_kafka_error_destroy(e);
        rd_kafka_poll(client, 10);
    }
}

static void fill(long first, long count) {
    rd_kafka_t *client = producer("5");
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, full("commands"), NULL);
    for (long i = first; i < first + count; i++) {
        send_command(client, topic, i);
        if (i % 1000 == 0) rd_kafka_poll(client, 0);
    }
    if (rd_kafka_flush(client, 60000)) die("fill", "not flushed");
}

static void watch(long count) {
    int partitions = partition_count(producer("0"), full("settlements"));
    rd_kafka_t *client = reader(bootstrap, name, partitions, RD_KAFKA_OFFSET_BEGINNING);
    long settled = 0;
    double next = now(), last = now();
    while (settled < count) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(client, 20);
        if (m) { if (!m->err) { settled++; last = now(); } rd_kafka_message_destroy(m); }
        if (now() >= next || settled == count) {
            printf("%.3f %ld\n", settled == count ? last : now(), settled);
            fflush(stdout);
            next += 0.1;
        }
    }
}

/* Open loop. The sender keeps to the plan whatever comes back; a payout's latency begins when it was due. */
static double *due, *visible;
static long planned;
static volatile long seen;
static volatile int over;
static rd_kafka_t *observer;

static void *observe(void *unused) {
    (void)unused;
    while (!over) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(observer, 20);
        if (!m) continue;
        rd_kafka_headers_t *headers;
        const void *type;
        size_t length;
        if (!m->err && m->key_len == 23 && !rd_kafka_message_headers(m, &headers)
            && !rd_kafka_header_get_last(headers, "ce_type", &type, &length) && memmem(type, length, "payout.settled", 14)) {
            char digits[11] = { 0 };
            memcpy(digits, (char *)m->key + 13, 10);
            long number = atol(digits) - 900000000;
            if (number >= 0 && number < planned && !visible[number]) { visible[number] = now(); seen++; }
        }
        rd_kafka_message_destroy(m);
    }
    return NULL;
}
static int ascending(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }

static void rate(double per_second, double seconds) {
    rd_kafka_t *client = producer("1");
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, full("commands"), NULL);
    double warm_up = 3;
    long cold = (long)(per_second * warm_up);
    planned = cold + (long)(per_second * seconds);
    due = room((size_t)planned, sizeof *due);
    visible = room((size_t)planned, sizeof *visible);
    int partitions = partition_count(client, full("events"));
    observer = reader(bootstrap, name, partitions, RD_KAFKA_OFFSET_END);
    rd_kafka_message_t *first = rd_kafka_consumer_poll(observer, 1500);  /* until the end is known */
    if (first) rd_kafka_message_destroy(first);
    pthread_t thread;
    pthread_create(&thread, NULL, observe, NULL);
    double start = now() + 0.2, latest = 0;
    for (long i = 0; i < planned; i++) {
        due[i] = start + i / per_second;
        struct timespec at = { (time_t)due[i], (long)((due[i] - (double)(time_t)due[i]) * 1e9) };
        if (now() < due[i]) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        double behind = now() - due[i];
        if (i >= cold && behind > latest) latest = behind;
        send_command(client, topic, 900000000 + i);
        rd_kafka_poll(client, 0);
    }
    for (double end = now() + 30; seen < planned && now() < end;) rd_kafka_poll(client, 10);
    over = 1;
    pthread_join(thread, NULL);
    double *late = room((size_t)planned, sizeof *late);
    long count = 0;
    for (long i = cold; i < planned; i++) if (visible[i]) late[count++] = (visible[i] - due[i]) * 1000;
    qsort(late, (size_t)count, sizeof *late, ascending);
    if (!count) die("rate", "nothing was settled");
    printf("{\"perSecond\": %.0f, \"due\": %ld, \"settled\": %ld, \"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"max\": %.2f, "
           "\"senderBehind\": %.2f}\n", per_second, planned - cold, count, late[count / 2], late[count * 9 / 10],
           late[count * 99 / 100], late[count - 1], latest * 1000);
}

/* The first payout of partition 0 that is settled: its records in order, each topic's from the beginning. */
static void save_shape(const char *path) {
    FILE *file = fopen(path, "wb");
    char key[256] = { 0 };
    if (!file) die("shape", path);
    for (int t = 0; t < TOPICS; t++) {
        rd_kafka_t *client = reader(bootstrap, full(output_topics[t]), 1, RD_KAFKA_OFFSET_BEGINNING);
        int stage = 0, taken = 0;
        for (double end = now() + 5; now() < end;) {
            rd_kafka_message_t *m = rd_kafka_consumer_poll(client, 200);
            if (!m) { if (taken) break; continue; }
            rd_kafka_headers_t *headers = NULL;
            if (!m->err && !*key && m->key_len < sizeof key) memcpy(key, m->key, m->key_len);
            if (!m->err && m->key_len == strlen(key) && !memcmp(m->key, key, m->key_len)) {
                int count = rd_kafka_message_headers(m, &headers) ? 0 : (int)rd_kafka_header_cnt(headers);
                /* The answer begins with the partner's acceptance; of the states the second one is its own. */
                const void *type;
                size_t length;
                if (t == 0 && headers && !rd_kafka_header_get_last(headers, "ce_type", &type, &length)
                    && memmem(type, length, "attempt.accepted", 16)) stage = 1;
                if (t == 1 || (t == 2 && taken)) stage = 1;
                int32_t head[3] = { t, stage, count };
                fwrite(head, sizeof head, 1, file);
                for (int i = 0; i < count; i++) {
                    const char *header_name;
                    const void *value;
                    rd_kafka_header_get_all(headers, (size_t)i, &header_name, &value, &length);
                    save_blob(file, header_name, strlen(header_name));
                    save_blob(file, value, length);
                }
                save_blob(file, m->payload, m->len);
                printf("%s, stage %d: %d headers, %zu bytes\n", output_topics[t], stage, count, m->len);
                taken++;
            }
            rd_kafka_message_destroy(m);
        }
    }
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc < 4) die("usage", "kafka_load BOOTSTRAP PREFIX topics|remove|fill|watch|rate|shape …");
    bootstrap = argv[1];
    prefix = argv[2];
    const char *verb = argv[3];
    double first = argc > 4 ? atof(argv[4]) : 0;
    if (!strcmp(verb, "topics")) administer(1, (int)first);
    else if (!strcmp(verb, "remove")) administer(0, 0);
    else if (!strcmp(verb, "fill")) fill(argc > 5 ? atol(argv[5]) : 0, (long)first);
    else if (!strcmp(verb, "watch")) watch((long)first);
    else if (!strcmp(verb, "rate") && argc > 5) rate(first, atof(argv[5]));
    else if (!strcmp(verb, "shape") && argc > 4) save_shape(argv[4]);
    else die("usage", verb);
    fflush(stdout);
    _exit(0);  /* nothing is left to be delivered; destroying idle clients would take seconds */
}
