/* Reads an HTTP/1.1 response in pieces, as they come, and counts the events in its body. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What an event is: a block with a `data` line that ends in a blank line; a line. */
enum format { FORMAT_SSE, FORMAT_NDJSON };
enum progress { MORE, COMPLETE, BROKEN };
#define HEAD_MAX 4096

struct response {
    int status; /* 0 until the head is complete */
    int closes; /* the server says that it closes the connection after this response */
    uint64_t events, comments, body_bytes;
    enum { HEAD, BODY_SIZED, BODY_UNTIL_CLOSE, CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_END, TRAILER } stage;
    uint64_t remaining; /* bytes of this chunk, or of the body */
    int size_digits, block_has_data;
    size_t head_length, line_length; /* the line is one that is not complete yet, in the body or the trailer */
    char line_first, head[HEAD_MAX];
};

static void response_start(struct response *response) {
    memset(response, 0, offsetof(struct response, head)); /* the head's text goes by its length */
}

/* -- events -------------------------------------------------------------------------------------------------------- */

static void end_of_line(struct response *response, enum format format) {
    int is_blank = response->line_length == 0 || (response->line_length == 1 && response->line_first == '\r');
    if (format == FORMAT_NDJSON) {
        response->events += !is_blank;
    } else if (is_blank) {
        response->events += (uint64_t)response->block_has_data;
        response->block_has_data = 0;
    } else if (response->line_first == 'd') { /* `data`: no other field starts so */
        response->block_has_data = 1;
    } else if (response->line_first == ':') {
        response->comments++;
    }
    response->line_length = 0;
}

static void count_events(struct response *response, enum format format, const char *bytes, size_t count) {
    response->body_bytes += count;
    for (const char *end = bytes + count; bytes < end;) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *stop = newline ? newline : end;
        if (response->line_length == 0 && stop > bytes)
            response->line_first = *bytes;
        response->line_length += (size_t)(stop - bytes);
        if (!newline)
            return;
        end_of_line(response, format);
        bytes = newline + 1;
    }
}

/* -- the head ------------------------------------------------------------------------------------------------------ */

/* The value of the header that is spelled `\r\nname:`, or empty text. */
static const char *header(const char *head, const char *name) {
    const char *found = strcasestr(head, name);
    return found ? found + strlen(name) + strspn(found + strlen(name), " ") : "";
}

static enum progress read_head(struct response *response) {
    const char *head = response->head, *length = header(head, "\r\ncontent-length:");
    if (strncmp(head, "HTTP/1.", 7) != 0)
        return BROKEN;
    response->status = atoi(head + 9);
    response->closes = head[7] == '0' || !strncasecmp(header(head, "\r\nconnection:"), "close", 5);
    response->remaining = strtoull(length, NULL, 10);
    if (!strncasecmp(header(head, "\r\ntransfer-encoding:"), "chunked", 7))
        response->stage = CHUNK_SIZE;
    else
        response->stage = *length || response->status == 204 || response->status == 304 ? BODY_SIZED : BODY_UNTIL_CLOSE;
    return response->stage == BODY_SIZED && !response->remaining ? COMPLETE : MORE;
}

/* Collects the head; `*used` is how many of the bytes belong to it. */
static enum progress collect_head(struct response *response, const char *bytes, size_t count, size_t *used) {
    size_t before = response->head_length, room = HEAD_MAX - 1 - before;
    size_t taken = count < room ? count : room;
    memcpy(response->head + before, bytes, taken);
    response->head_length += taken;
    response->head[response->head_length] = 0;
    char *end = strstr(response->head, "\r\n\r\n");
    *used = end ? (size_t)(end + 4 - response->head) - before : taken;
    if (!end)
        return taken == room ? BROKEN : MORE;
    end[2] = 0;
    return read_head(response);
}

/* -- chunks -------------------------------------------------------------------------------------------------------- */

static enum progress end_of_size(struct response *response) {
    if (!response->size_digits)
        return BROKEN;
    response->size_digits = 0;
    response->line_length = response->remaining ? response->line_length : 0;
    response->stage = response->remaining ? CHUNK_DATA : TRAILER;
    return MORE;
}

/* One byte of what is around the data of chunks (RFC 9112, section 7.1). */
static enum progress chunk_byte(struct response *response, char c) {
    const char *digits = "0123456789abcdef", *digit = c ? strchr(digits, c | 0x20) : NULL;
    switch (response->stage) {
    case CHUNK_SIZE:
        if (digit && *digit) {
            response->remaining = (response->size_digits++ ? response->remaining << 4 : 0) | (uint64_t)(digit - digits);
            return response->size_digits > 15 ? BROKEN : MORE;
        }
        if (c == '\n')
            return end_of_size(response);
        response->stage = c == '\r' ? CHUNK_SIZE : CHUNK_EXTENSION;
        return c == '\r' || c == ';' || c == ' ' ? MORE : BROKEN;
    case CHUNK_EXTENSION:
        return c == '\n' ? end_of_size(response) : MORE;
    case CHUNK_END:
        response->stage = c == '\n' ? CHUNK_SIZE : CHUNK_END;
        return c == '\n' || c == '\r' ? MORE : BROKEN;
    default: /* the trailer ends with an empty line */
        if (c == '\n' && response->line_length == 0)
            return COMPLETE;
        response->line_length = c == '\n' ? 0 : response->line_length + (c != '\r');
        return MORE;
    }
}

static enum progress read_chunks(struct response *response, enum format format, const char *bytes, size_t count) {
    enum progress progress = MORE;
    for (const char *end = bytes + count; bytes < end && progress == MORE;) {
        if (response->stage != CHUNK_DATA) {
            progress = chunk_byte(response, *bytes++);
            continue;
        }
        size_t left = (size_t)(end - bytes), part = response->remaining < left ? (size_t)response->remaining : left;
        count_events(response, format, bytes, part);
        bytes += part;
        response->remaining -= part;
        response->stage = response->remaining ? CHUNK_DATA : CHUNK_END;
    }
    return progress;
}

/* -- the whole ----------------------------------------------------------------------------------------------------- */

/* Takes the next bytes of the connection. */
static enum progress response_feed(struct response *response, enum format format, const char *bytes, size_t count) {
    if (response->stage == HEAD) {
        size_t used = 0;
        enum progress progress = collect_head(response, bytes, count, &used);
        if (progress != MORE || used == count)
            return progress;
        bytes += used;
        count -= used;
    }
    if (response->stage >= CHUNK_SIZE)
        return read_chunks(response, format, bytes, count);
    if (response->stage == BODY_SIZED && response->remaining < count)
        count = (size_t)response->remaining;
    count_events(response, format, bytes, count);
    response->remaining -= response->stage == BODY_SIZED ? count : 0;
    return response->stage == BODY_SIZED && !response->remaining ? COMPLETE : MORE;
}

/* The server has closed the connection: whether the response was complete. */
static enum progress response_closed(const struct response *response) {
    return response->stage == BODY_UNTIL_CLOSE ? COMPLETE : BROKEN;
}
