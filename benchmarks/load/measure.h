/* Clock, histograms, and what other processes use. */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ll
#define SECOND 1000000000ll

/* Nanoseconds of the monotonic clock. */
static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}

/* A histogram of durations. Microseconds below 64 are exact; above, each power of two has 64 steps (1.6 %). */
#define STEPS 64
#define POWERS 36
struct histogram {
    unsigned long count, max_us, steps[STEPS * (POWERS + 1)];
};

/* The step of a duration: its microseconds, or the power of two and the six bits that follow the first. */
static unsigned step_of(uint64_t us) {
    if (us < STEPS)
        return (unsigned)us;
    unsigned power = 63 - (unsigned)__builtin_clzll(us) - 6;
    return power < POWERS ? STEPS * (power + 1) + (unsigned)((us >> power) & (STEPS - 1)) : STEPS * (POWERS + 1) - 1;
}

/* The middle of a step, in microseconds. */
static double middle_of(unsigned step) {
    return step < STEPS ? step : (STEPS + step % STEPS + 0.5) * (double)(1ull << (step / STEPS - 1));
}

/* Adds a duration; what is below zero counts as zero. */
static void histogram_add(struct histogram *histogram, int64_t ns) {
    unsigned long us = ns > 0 ? (unsigned long)ns / 1000 : 0;
    histogram->count++;
    histogram->steps[step_of(us)]++;
    if (us > histogram->max_us)
        histogram->max_us = us;
}

/* The duration in microseconds that the share `q` (0 to 1) does not exceed; -1 of an empty histogram. */
static double histogram_quantile(const struct histogram *histogram, double q) {
    unsigned long seen = 0;
    for (unsigned step = 0; histogram->count && step < STEPS * (POWERS + 1); step++) {
        seen += histogram->steps[step];
        if (seen && (double)seen >= q * (double)histogram->count)
            return middle_of(step) < (double)histogram->max_us ? middle_of(step) : (double)histogram->max_us;
    }
    return -1;
}

/* Prints a histogram as a member of a JSON object, in microseconds. */
static void histogram_print(const char *name, const struct histogram *histogram) {
    printf("\"%s\": {\"n\": %lu, \"p50\": %.0f, \"p90\": %.0f, \"p99\": %.0f, \"p999\": %.0f, \"max\": %lu}, ", name,
           histogram->count, histogram_quantile(histogram, .5), histogram_quantile(histogram, .9),
           histogram_quantile(histogram, .99), histogram_quantile(histogram, .999), histogram->max_us);
}

/* What processes use: seconds of CPU time since they started, resident memory now. */
struct usage {
    double cpu_s;
    unsigned long rss_kib;
};

static struct usage usage_of(const int *pids, int count) {
    struct usage usage = {0, 0};
    for (int i = 0; i < count; i++) {
        char path[64], line[1024] = "";
        unsigned long user = 0, system = 0, pages = 0;
        snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
        FILE *file = fopen(path, "r");
        if (!file)
            continue; /* it has ended */
        /* The second field is the name, which may contain anything: count from behind it. */
        if (fgets(line, sizeof line, file) && strrchr(line, ')'))
            sscanf(strrchr(line, ')') + 1,
                   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %lu", &user,
                   &system, &pages);
        fclose(file);
        usage.cpu_s += (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
        usage.rss_kib += pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
    }
    return usage;
}

/* Seconds of CPU time that this process has used. */
static double own_cpu_s(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}
