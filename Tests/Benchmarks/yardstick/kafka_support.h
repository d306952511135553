/* What the yardsticks on Kafka share: small helpers, the client settings of the daemon, and the records of one payout. */
#pragma once
#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOPICS 3
static const char *const output_topics[TOPICS] = { "events", "settlements", "state" };

static inline void die(const char *what, const char *why) { fprintf(stderr, "%s: %s\n", what, why); exit(1); }
static inline void check(rd_kafka_error_t *e, const char *what) { if (e) die(what, rd_kafka_error_string(e)); }
static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}
static inline void *room(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) die("memory", "used up");
    return memory;
}
static inline void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text)) die(name, text);
}

/* A client with the settings that all clients of the daemon have. */
static inline rd_kafka_conf_t *settings(const char *bootstrap) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "reconnect.backoff.ms", "50");
    set(conf, "reconnect.backoff.max.ms", "1000");
    set(conf, "socket.keepalive.enable", "true");
    set(conf, "socket.nagle.disable", "true");
    set(conf, "socket.timeout.ms", "10000");
    return conf;
}

/* A consumer that names its partitions itself and reads committed records only. */
static inline rd_kafka_t *reader(const char *bootstrap, const char *topic, int partitions, int64_t offset) {
    char text[512];
    rd_kafka_conf_t *conf = settings(bootstrap);
    set(conf, "group.id", "yardstick-reader");
    set(conf, "enable.auto.commit", "false");
    set(conf, "isolation.level", "read_committed");
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "queued.max.messages.kbytes", "65536");
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!client) die("reader", text);
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++) rd_kafka_topic_partition_list_add(list, topic, i)->offset = offset;
    if (rd_kafka_assign(client, list)) die("assign", topic);
    rd_kafka_topic_partition_list_destroy(list);
    return client;
}

static inline int partition_count(rd_kafka_t *client, const char *name) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    for (int attempt = 0; attempt < 50; attempt++) {
        if (!rd_kafka_metadata(client, 0, topic, &metadata, 10000)) {
            int count = metadata->topic_cnt ? metadata->topics[0].partition_cnt : 0;
            rd_kafka_metadata_destroy(metadata);
            if (count) { rd_kafka_topic_destroy(topic); return count; }
        }
        nanosleep(&(struct timespec) { 0, 100000000 }, NULL);
    }
    die("no such topic", name);
    return 0;
}

/* A record as the daemon wrote it: stage 0 belongs to the decision about the command, stage 1 to the partner's answer. */
typedef struct { char *name; void *value; size_t length; } header;
typedef struct { int topic, stage, headers; header header[32]; void *value; size_t length; } record;
typedef struct { int count; record records[64]; } shape;

static inline void *load_blob(FILE *file, size_t *length) {
    uint32_t size;
    if (fread(&size, 4, 1, file) != 1) die("shape", "too short");
    char *bytes = room(size + 1, 1);
    if (size && fread(bytes, size, 1, file) != 1) die("shape", "too short");
    *length = size;
    return bytes;
}
static inline void save_blob(FILE *file, const void *bytes, size_t length) {
    uint32_t size = (uint32_t)length;
    fwrite(&size, 4, 1, file);
    if (length) fwrite(bytes, length, 1, file);
}
static inline shape load_shape(const char *path) {
    shape found = { 0 };
    FILE *file = fopen(path, "rb");
    int32_t head[3];
    size_t length;
    if (!file) die("shape", path);
    while (found.count < 64 && fread(head, sizeof head, 1, file) == 1) {
        record *r = &found.records[found.count++];
        r->topic = head[0]; r->stage = head[1]; r->headers = head[2];
        for (int i = 0; i < r->headers && i < 32; i++) {
            r->header[i].name = load_blob(file, &length);
            r->header[i].value = load_blob(file, &r->header[i].length);
        }
        r->value = load_blob(file, &r->length);
    }
    fclose(file);
    return found;
}
