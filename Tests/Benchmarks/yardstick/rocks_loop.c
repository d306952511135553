/* The yardstick of the embedded log: the least that writes the same bytes to RocksDB with the same sync.
 *
 * A payout is 8 records of about 500 bytes and 2 states of about 400 bytes; a batch holds many payouts and is one
 * synced write. No queue, no index, no fence, no second thread: what the log costs above this is its own.
 * The database is opened with the same options as the log's (families, caches, buffers, filters).
 *
 * "whole" adds the keys that the log keeps beside each state (a timer, a row of the operators' list, a reference, an
 * entry of the history): the same bytes as the Swift benchmark's "whole".
 *
 * Usage: rocks_loop DIRECTORY PAYOUTS BATCH [plain|whole]
 */
#include <rocksdb/c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { RECORDS = 8, STATES = 2, RECORD_BYTES = 500, STATE_BYTES = 400, NAME = 20, POOL = 1 << 20 };

static void check(char *error) {
    if (error) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void put64(char *p, uint64_t v) {
    for (int i = 7; i >= 0; i--, v >>= 8) p[i] = (char)v;
}

static rocksdb_options_t *family(rocksdb_cache_t *cache, size_t buffer, size_t block, int bloom) {
    rocksdb_options_t *o = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_create_missing_column_families(o, 1);
    rocksdb_options_set_max_open_files(o, 256);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_db_write_buffer_size(o, 96 << 20);
    rocksdb_options_set_max_total_wal_size(o, 144 << 20);
    rocksdb_options_set_bytes_per_sync(o, 1 << 20);
    rocksdb_options_set_write_buffer_size(o, buffer);
    rocksdb_options_set_max_write_buffer_number(o, 4);
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
    rocksdb_block_based_table_options_t *t = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(t, cache);
    rocksdb_block_based_options_set_block_size(t, block);
    rocksdb_block_based_options_set_format_version(t, 5);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(t, 1);
    if (bloom) {
        rocksdb_block_based_options_set_filter_policy(t, rocksdb_filterpolicy_create_bloom_full(10));
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(o, 0.02);
        rocksdb_options_set_memtable_whole_key_filtering(o, 1);
    }
    rocksdb_options_set_block_based_table_factory(o, t);
    return o;
}

/* What the log keeps beside a state: timer, row, reference. */
static void indexes(rocksdb_writebatch_t *batch, rocksdb_column_family_handle_t **families, const char *name,
                    uint64_t serial) {
    char key[64] = {0};
    put64(key + 4, serial ^ (1ULL << 63));
    memcpy(key + 13, name, NAME);
    rocksdb_writebatch_put_cf(batch, families[3], key, 13 + NAME, "", 0);
    memcpy(key, "P\0\5", 3);
    put64(key + 3, serial ^ (1ULL << 63));
    memcpy(key + 11, name, NAME);
    rocksdb_writebatch_put_cf(batch, families[4], key, 11 + NAME, "\0\0\0\0\0bank-a", 11);
    memcpy(key, "R\0\0\0\0", 5);
    memcpy(key + 5, name, NAME);
    rocksdb_writebatch_put_cf(batch, families[4], key, 5 + NAME, name, NAME);
}

/* The entry that leads from a payment to its events. */
static void history(rocksdb_writebatch_t *batch, rocksdb_column_family_handle_t *family, long payout, uint64_t offset) {
    char key[64];
    memcpy(key, "H\0\24", 3);
    snprintf(key + 3, sizeof key - 3, "payment-%012ld", payout);
    put64(key + 3 + NAME, offset);
    rocksdb_writebatch_put_cf(batch, family, key, 3 + NAME + 8, "\6", 1);
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    int whole = argc > 4 && strcmp(argv[4], "whole") == 0;
    long payouts = atol(argv[2]), batch_size = atol(argv[3]);
    rocksdb_cache_t *cache = rocksdb_cache_create_lru(64 << 20);
    const char *names[] = {"default", "records", "state", "timers", "indexes"};
    const rocksdb_options_t *options[] = {family(cache, 1 << 20, 8 << 10, 0), family(cache, 48 << 20, 32 << 10, 0),
                                          family(cache, 32 << 20, 8 << 10, 1),
                                          family(cache, 12 << 20, 8 << 10, 0), family(cache, 12 << 20, 8 << 10, 1)};
    rocksdb_column_family_handle_t *families[5];
    char *error = NULL;
    rocksdb_t *db = rocksdb_open_column_families(options[0], argv[1], 5, names, options, families, &error);
    check(error);
    rocksdb_writeoptions_t *synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(synced, 1);
    /* Half of it repeats and half does not, as in records of JSON; the same pool as the Swift benchmark's. */
    static char pool[POOL];
    uint64_t seed = 1;
    for (int i = 0; i < POOL; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        pool[i] = (i & 32) ? (char)('a' + i % 26) : (char)(33 + (seed >> 33) % 94);
    }
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    uint64_t offset = 0, serial = 0;
    double wall = seconds(), used = cpu();
    for (long done = 0; done < payouts; done += batch_size) {
        rocksdb_writebatch_clear(batch);
        for (long n = 0; n < batch_size; n++) {
            char key[64], name[24];
            if (whole) history(batch, families[4], done + n, offset);
            for (int r = 0; r < RECORDS; r++, offset++) {
                key[0] = 3;
                memset(key + 1, 0, 4);
                put64(key + 5, offset);
                rocksdb_writebatch_put_cf(batch, families[1], key, 13, pool + (offset * 61) % (POOL - RECORD_BYTES),
                                          RECORD_BYTES);
            }
            for (int s = 0; s < STATES; s++, serial++) {
                memset(key, 0, 5);
                snprintf(name, sizeof name, "payment-%012llu", (unsigned long long)serial);
                memcpy(key + 5, name, NAME);
                rocksdb_writebatch_put_cf(batch, families[2], key, NAME + 5,
                                          pool + (serial * 97) % (POOL - STATE_BYTES), STATE_BYTES);
                if (whole) indexes(batch, families, name, serial);
            }
        }
        rocksdb_write(db, synced, batch, &error);
        check(error);
    }
    wall = seconds() - wall;
    used = cpu() - used;
    printf(
        "{\"program\":\"rocks_loop\",\"shape\":\"%s\",\"payouts\":%ld,\"batch\":%ld,\"payoutsPerSecond\":%.0f,\"cpuMicroseconds\":%.2f}\n",
           whole ? "whole" : "plain", payouts, batch_size, (double)payouts / wall, used * 1e6 / (double)payouts);
    rocksdb_writebatch_destroy(batch);
    for (int i = 0; i < 5; i++) rocksdb_column_family_handle_destroy(families[i]);
    rocksdb_close(db);
    return 0;
}
