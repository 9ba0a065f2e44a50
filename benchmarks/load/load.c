/* A load client for streaming HTTP/1.1 (SSE, NDJSON) on 127.0.0.1: one thread, epoll, bounded in connections and time.
 * Its options are in the table below, `load --help` prints it. The result is one JSON object.
 *
 * By default every connection asks again as soon as its response is complete, on the same connection with
 * --keep-alive, else on a new one. With --once each asks once and stays as long as its stream. With --delay-ms or
 * --schedule the lateness of every event is measured against the first byte of its stream. */
#define _GNU_SOURCE
#include "measure.h"
#include "response.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define MOST_CONNECTIONS 50000
#define MOST_SECONDS 900
#define MOST_CONNECTING 256
#define OPENING_GRACE_S 30 /* for the slowest first byte; then measuring begins without it */
#define AGES 128           /* seconds of a stream's age that lateness is kept for */
#define MOST_DUE 100000    /* events of a schedule */

static void fail(const char *message, const char *detail) {
    fprintf(stderr, "load: %s%s\n", message, detail);
    exit(2);
}

/* -- options ------------------------------------------------------------------------------------------------------- */

static const char *path = "/", *body, *schedule_file;
static double ramp, delay_ms, pause_ms, timeout_ms, warmup, seconds = 5;
static long port, connections = 1, sources = 1, most_requests, expected = -1, expected_bytes = -1;
static int keep_alive, once, stall, announce, pids[64], pid_count;
static enum format format;

enum kind { TEXT, NUMBER, WHOLE, FLAG, FORMAT, PIDS };
static const struct {
    const char *name;
    enum kind kind;
    void *target;
    const char *help;
} table[] = {
    {"port", WHOLE, &port, "server port"},
    {"path", TEXT, &path, "request target (default /)"},
    {"body", TEXT, &body, "JSON to send: the method is POST then, GET otherwise"},
    {"format", FORMAT, NULL, "what an event is: sse (default) or ndjson"},
    {"connections", WHOLE, &connections, "connections at once (default 1)"},
    {"keep-alive", FLAG, &keep_alive, "ask again on the same connection"},
    {"once", FLAG, &once, "one request a connection"},
    {"stall", FLAG, &stall, "stop reading after the first bytes of a body (with --once)"},
    {"requests", WHOLE, &most_requests, "stop after so many requests (default: no limit)"},
    {"ramp", NUMBER, &ramp, "connections opened a second (default: all at once)"},
    {"sources", WHOLE, &sources, "source addresses, from 127.0.0.1 on (default 1)"},
    {"pause-ms", NUMBER, &pause_ms, "pause before a connection asks again"},
    {"timeout-ms", NUMBER, &timeout_ms, "give up a request without a first byte after so long"},
    {"delay-ms", NUMBER, &delay_ms, "events are due so far apart: measure their lateness"},
    {"schedule", TEXT, &schedule_file, "file of the times events are due, in ms after the first byte, one a line"},
    {"expect", WHOLE, &expected, "events in a complete stream; others are counted as wrong"},
    {"expect-bytes", WHOLE, &expected_bytes, "bytes in a complete body; others are counted as wrong"},
    {"warmup", NUMBER, &warmup, "seconds between the last first byte and measuring (default 0)"},
    {"seconds", NUMBER, &seconds, "seconds of measuring (default 5)"},
    {"pids", PIDS, NULL, "processes whose CPU time and memory are sampled, with commas between"},
    {"announce", FLAG, &announce, "print `measuring` on stderr when measuring begins"},
};
#define OPTIONS (sizeof table / sizeof *table)

static void take_option(enum kind kind, void *target, char *value) {
    switch (kind) {
    case TEXT: *(const char **)target = value; break;
    case NUMBER: *(double *)target = atof(value); break;
    case WHOLE: *(long *)target = atol(value); break;
    case FLAG: *(int *)target = 1; break;
    case FORMAT: format = !strcmp(value, "ndjson") ? FORMAT_NDJSON : FORMAT_SSE; break;
    case PIDS:
        for (char *pid = strtok(value, ","); pid && pid_count < 64; pid = strtok(NULL, ","))
            pids[pid_count++] = atoi(pid);
    }
}

static void read_options(int argc, char **argv) {
    struct option known[OPTIONS + 2] = {{"help", no_argument, NULL, 'h'}};
    for (size_t i = 0; i < OPTIONS; i++)
        known[i + 1] = (struct option){table[i].name, table[i].kind == FLAG ? no_argument : required_argument, NULL, 0};
    for (int index, found; (found = getopt_long(argc, argv, "", known, &index)) != -1;) {
        for (size_t i = 0; found == 'h' && i < OPTIONS; i++)
            printf("  --%-12s %s\n", table[i].name, table[i].help);
        if (found)
            exit(found == 'h' ? 0 : 2);
        take_option(table[index - 1].kind, table[index - 1].target, optarg);
    }
    if (connections < 1 || connections > MOST_CONNECTIONS || seconds > MOST_SECONDS || warmup > MOST_SECONDS)
        fail("out of bounds: at most 50,000 connections and 900 seconds", "");
    if (sources < 1 || sources > 200 || port < 1 || port > 65535)
        fail("--port is 1 to 65535, --sources 1 to 200", "");
}

/* -- what is measured ---------------------------------------------------------------------------------------------- */

struct counts {
    unsigned long events, comments, body_bytes, streams, requests;
};
static struct counts total, before; /* of the whole run, and when measuring began */
static struct { unsigned long connect, io, status, incomplete, timed_out, wrong_count; } errors;
static struct histogram first_byte, gap_late, behind, behind_at_end, behind_by_age[AGES];
static struct usage usage_ready, usage_end;
static double own_cpu_ready;
static int64_t started_at, measuring_since, ended_at;

static double schedule_ms[MOST_DUE];
static size_t schedule_length;

static void read_schedule(void) {
    FILE *file = fopen(schedule_file, "r");
    if (!file)
        fail("cannot read the schedule ", schedule_file);
    while (schedule_length < MOST_DUE && fscanf(file, "%lf", &schedule_ms[schedule_length]) == 1)
        schedule_length++;
    fclose(file);
}

/* When event `number` is due, in nanoseconds after the first byte; -1 if nobody knows. */
static int64_t due(uint64_t number) {
    if (schedule_file)
        return number < schedule_length ? (int64_t)(schedule_ms[number] * MS) : -1;
    return delay_ms > 0 ? (int64_t)((double)number * delay_ms * MS) : -1;
}

/* -- connections --------------------------------------------------------------------------------------------------- */

struct stream {
    enum { CONNECTING, READING, CLOSED, IDLE, OVER } state; /* CLOSED and IDLE ask again at `resume_at` */
    int fd;
    int64_t asked_at, first_byte_at, last_event_at, resume_at;
    struct response response;
};
static struct stream *streams;
static int epoll, opened, connecting, live, answered;
static char *request, buffer[256 * 1024];
static size_t request_length;

static void make_request(void) {
    char length[100] = "";
    if (body)
        snprintf(length, sizeof length, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    if (asprintf(&request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\n%s%s\r\n%s", body ? "POST" : "GET", path, port,
                 keep_alive ? "" : "Connection: close\r\n", length, body ? body : "") < 0)
        fail("out of memory", "");
    request_length = strlen(request);
}

static int may_ask(void) { return !most_requests || total.requests < (uint64_t)most_requests; }

static void drop(struct stream *stream) {
    close(stream->fd);
    live--;
    connecting -= stream->state == CONNECTING;
    stream->state = once ? OVER : CLOSED;
}

static void ask(struct stream *stream) {
    response_start(&stream->response);
    stream->first_byte_at = 0;
    stream->state = READING;
    total.requests++;
    if (send(stream->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length)
        errors.io++;
}

static void open_connection(struct stream *stream) {
    int yes = 1;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}, source = server;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)((stream - streams) % sources));
    source.sin_port = 0;
    stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(stream->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (stream->fd < 0 || bind(stream->fd, (struct sockaddr *)&source, sizeof source))
        fail("cannot open a socket: ", strerror(errno));
    stream->asked_at = now_ns();
    stream->state = CONNECTING;
    connecting++;
    live++;
    if (connect(stream->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
        errors.connect++;
        drop(stream);
        return;
    }
    struct epoll_event wanted = {.events = EPOLLOUT, .data.ptr = stream};
    epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &wanted);
}

static void ask_again(struct stream *stream) {
    stream->asked_at = now_ns();
    if (stream->state == CLOSED)
        open_connection(stream);
    else
        ask(stream);
}

static void connected(struct stream *stream) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        errors.connect++;
        drop(stream);
        return;
    }
    connecting--;
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = stream};
    epoll_ctl(epoll, EPOLL_CTL_MOD, stream->fd, &wanted);
    ask(stream);
}

/* -- events -------------------------------------------------------------------------------------------------------- */

static void note_lateness(struct stream *stream, uint64_t number, int64_t now) {
    int64_t due_ns = due(number), late = now - stream->first_byte_at - due_ns;
    if (due_ns < 0)
        return;
    if (due_ns / SECOND < AGES)
        histogram_add(&behind_by_age[due_ns / SECOND], late);
    if (measuring_since)
        histogram_add(&behind, late);
    if (measuring_since && number)
        histogram_add(&gap_late, now - stream->last_event_at - (due_ns - due(number - 1)));
    stream->last_event_at = now;
}

static int is_as_expected(const struct response *response) {
    return (expected < 0 || response->events == (uint64_t)expected) &&
           (expected_bytes < 0 || response->body_bytes == (uint64_t)expected_bytes);
}

/* How far behind its schedule a stream is: its last event was, or the one that is awaited already is. */
static void note_end(struct stream *stream, int64_t now) {
    uint64_t events = stream->response.events;
    if (!events || due(events - 1) < 0)
        return;
    int64_t last = stream->last_event_at - stream->first_byte_at - due(events - 1);
    int64_t awaited = due(events) < 0 ? 0 : now - stream->first_byte_at - due(events);
    histogram_add(&behind_at_end, stream->state == READING && awaited > last ? awaited : last);
}

static void finish(struct stream *stream, enum progress progress, int64_t now) {
    struct response *response = &stream->response;
    stream->state = IDLE;
    note_end(stream, now);
    total.streams += progress == COMPLETE;
    errors.incomplete += progress != COMPLETE;
    errors.status += progress == COMPLETE && response->status != 200;
    errors.wrong_count += progress == COMPLETE && !is_as_expected(response);
    if (progress != COMPLETE || !keep_alive || response->closes || once || !may_ask())
        drop(stream);
    stream->resume_at = now + (int64_t)(pause_ms * MS);
    if (!once && may_ask() && pause_ms <= 0)
        ask_again(stream);
}

static void note_first_byte(struct stream *stream, int64_t now) {
    answered++;
    stream->first_byte_at = now;
    if (measuring_since || once)
        histogram_add(&first_byte, now - stream->asked_at);
}

static void read_stream(struct stream *stream) {
    ssize_t count = recv(stream->fd, buffer, sizeof buffer, 0);
    int64_t now = now_ns();
    struct response *response = &stream->response;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (stream->state == IDLE) { /* the server closes a connection that it had kept */
        drop(stream);
        return;
    }
    if (count <= 0) {
        errors.io += count < 0;
        finish(stream, count < 0 ? BROKEN : response_closed(response), now);
        return;
    }
    if (!stream->first_byte_at)
        note_first_byte(stream, now);
    uint64_t first = response->events, comments = response->comments, bytes = response->body_bytes;
    enum progress progress = response_feed(response, format, buffer, (size_t)count);
    total.events += response->events - first;
    total.comments += response->comments - comments;
    total.body_bytes += response->body_bytes - bytes;
    for (uint64_t number = first; number < response->events && (schedule_file || delay_ms > 0); number++)
        note_lateness(stream, number, now);
    if (progress != MORE)
        finish(stream, progress, now);
    else if (stall && response->body_bytes)
        epoll_ctl(epoll, EPOLL_CTL_DEL, stream->fd, NULL);
}

/* -- the run ------------------------------------------------------------------------------------------------------- */

static void open_more(int64_t now) {
    while (opened < connections && connecting < MOST_CONNECTING && may_ask()) {
        if (ramp > 0 && (double)(now - started_at) < (double)opened / ramp * SECOND)
            return;
        open_connection(&streams[opened++]);
    }
}

/* What the clock sees to: pauses that are over, and requests to give up. */
static void look_after(int64_t now) {
    for (int i = 0; i < opened; i++) {
        struct stream *stream = &streams[i];
        int is_waiting = stream->state == CLOSED || stream->state == IDLE;
        int is_unanswered = stream->state == CONNECTING || (stream->state == READING && !stream->first_byte_at);
        if (is_waiting && may_ask() && now >= stream->resume_at) {
            ask_again(stream);
        } else if (is_unanswered && timeout_ms > 0 && now - stream->asked_at > (int64_t)(timeout_ms * MS)) {
            errors.timed_out++;
            drop(stream);
        }
    }
}

/* Begins measuring once every stream is open and has had its first byte, and the warm-up is over. */
static void begin_measuring(int64_t now) {
    static int64_t opened_at;
    double grace_s = OPENING_GRACE_S + (ramp > 0 ? (double)connections / ramp : 0);
    int is_open = opened == connections && (answered >= opened || errors.connect);
    if (!opened_at && (is_open || (double)(now - started_at) > grace_s * SECOND))
        opened_at = now;
    if (!opened_at || (double)(now - opened_at) < warmup * SECOND)
        return;
    usage_ready = usage_of(pids, pid_count);
    own_cpu_ready = own_cpu_s();
    before = total;
    measuring_since = now_ns();
    if (announce)
        fprintf(stderr, "measuring\n");
}

static int is_over(int64_t now) {
    if (measuring_since && (double)(now - measuring_since) >= seconds * SECOND)
        return 1;
    return !live && (once ? opened == connections : !may_ask());
}

static void run(void) {
    static struct epoll_event ready[1024];
    int needs_care = pause_ms > 0 || timeout_ms > 0;
    started_at = now_ns();
    for (int64_t now = started_at; !is_over(now); now = now_ns()) {
        open_more(now);
        if (!measuring_since)
            begin_measuring(now);
        int count = epoll_wait(epoll, ready, 1024, needs_care || opened < connections ? 1 : 20);
        for (int i = 0; i < count; i++) {
            struct stream *stream = ready[i].data.ptr;
            if (stream->state == CONNECTING)
                connected(stream);
            else
                read_stream(stream);
        }
        if (!once && (needs_care || count == 0))
            look_after(now_ns());
    }
    ended_at = now_ns();
    if (!measuring_since) /* all was over before: then it is the whole run that counts */
        measuring_since = started_at;
    usage_end = usage_of(pids, pid_count);
    for (int i = 0; i < opened; i++)
        if (streams[i].state == READING)
            note_end(&streams[i], ended_at);
}

/* -- the result ---------------------------------------------------------------------------------------------------- */

static void print_counts(const char *name, const struct counts *since) {
    printf("\"%s\": {\"events\": %lu, \"comments\": %lu, \"bytes\": %lu, \"requests\": %lu, \"streams\": %lu}, ", name,
           total.events - since->events, total.comments - since->comments, total.body_bytes - since->body_bytes,
           total.requests - since->requests, total.streams - since->streams);
}

static void print_lateness(void) {
    histogram_print("gap_late_us", &gap_late);
    histogram_print("behind_us", &behind);
    histogram_print("behind_at_end_us", &behind_at_end);
    const char *comma = "";
    printf("\"behind_by_age\": [");
    for (int age = 0; age < AGES; age++) {
        if (!behind_by_age[age].count)
            continue;
        double p50 = histogram_quantile(&behind_by_age[age], .5), p99 = histogram_quantile(&behind_by_age[age], .99);
        printf("%s[%d, %.0f, %.0f]", comma, age, p50, p99);
        comma = ", ";
    }
    printf("], ");
}

static void report(void) {
    static const struct counts none;
    double window = (double)(ended_at - measuring_since) / SECOND;
    printf("{\"connections\": %ld, \"opened\": %d, \"live\": %d, ", connections, opened, live);
    printf("\"seconds\": %.3f, ", window);
    print_counts("measured", &before);
    print_counts("whole_run", &none);
    printf("\"events_per_s\": %.2f, ", (double)(total.events - before.events) / window);
    printf("\"streams_per_s\": %.3f, ", (double)(total.streams - before.streams) / window);
    printf("\"errors\": {\"connect\": %lu, \"io\": %lu, \"status\": %lu, \"incomplete\": %lu, \"timed_out\": %lu, "
           "\"wrong_count\": %lu}, ",
           errors.connect, errors.io, errors.status, errors.incomplete, errors.timed_out, errors.wrong_count);
    histogram_print("first_byte_us", &first_byte);
    if (schedule_file || delay_ms > 0)
        print_lateness();
    printf("\"server_cpu\": %.4f, \"client_cpu\": %.4f, ", (usage_end.cpu_s - usage_ready.cpu_s) / window,
           (own_cpu_s() - own_cpu_ready) / window);
    printf("\"rss_kib\": {\"ready\": %lu, \"end\": %lu}}\n", usage_ready.rss_kib, usage_end.rss_kib);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    if (schedule_file)
        read_schedule();
    make_request();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    streams = calloc((size_t)connections, sizeof *streams);
    if (epoll < 0 || !streams)
        fail("cannot start: ", strerror(errno));
    run();
    report();
    return 0;
}
