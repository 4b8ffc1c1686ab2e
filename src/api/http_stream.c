/*
 * http_stream.c: a body without an end, read from a stream as the connection takes it.
 *
 * When there is nothing, the connection is suspended from within the reader, under the stream's lock, and it
 * is resumed under the same lock: so a resumption never comes before its suspension.
 */
#include "api/http_stream.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include "api/events.h"

enum { BLOCK_BYTES = 16 * 1024 };

static ssize_t on_read(void *stream, uint64_t at, char *to, size_t max)
{
    ssize_t n = stream_read(stream, to, max);

    (void)at;
    return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void on_free(void *stream)
{
    stream_free(stream);
}

static void on_pause(void *connection)
{
    MHD_suspend_connection(connection);
}

static void on_wake(void *connection)
{
    MHD_resume_connection(connection);
}

/* The descriptor is closed only after the response, and with it the stream, was freed. */
static void on_cut(void *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (info)
        (void)shutdown(info->connect_fd, SHUT_RDWR);
}

struct MHD_Response *http_stream_response(struct stream *s, struct MHD_Connection *connection)
{
    const struct stream_link link = {on_pause, on_wake, on_cut, connection};
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_read, s, on_free);

    if (r)
        stream_attach(s, &link);
    return r;
}
