/*
 * http_server.h: a small HTTP/1.1 server on a thread, for tests: it counts, remembers, and misbehaves as
 * told.
 *
 * One thread with poll(2); what is told and asked goes through a lock. It takes what a client sends at its
 * word and is no example of how to write a server.
 */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include "base/base.h"

struct http_server;

/* How every request from now on is answered. */
struct http_answer {
    const char *raw;   /* the bytes sent; NULL: "HTTP/1.1 200 OK", no body */
    size_t fill_bytes; /* then so many 'x' */
    bool stall;        /* nothing (more) is sent, the connection stays open */
    bool close;        /* the connection is closed after that */
    bool reset;        /* with close: by RST */
    bool refuse;       /* HTTP/2: by RST_STREAM with REFUSED_STREAM */
    bool at_once;      /* whatever bytes come are answered, and are no request */
    bool stall_in_tls; /* new connections: accepted, and not a byte of TLS spoken */
};

struct http_seen {
    char *head; /* request line and headers, terminated */
    char *body; /* terminated */
    size_t body_n;
    size_t connection; /* 1 is the first accepted */
    struct wall at;    /* CLOCK_REALTIME when it was read whole */
};

struct http_server_options {
    bool tls;
    bool http2; /* spoken when the client offers it; with tls. Answers: 200 without a body, close, stall,
                 * refuse */
    bool tls_wrong_name; /* the certificate is for another host */
};

/* Listens on 127.0.0.1 at a port of its own. */
struct http_server *http_server_new(const struct http_server_options *options);
void http_server_free(struct http_server *s);
int http_server_port(const struct http_server *s);
/* "http://127.0.0.1:PORT" + path; the server's until the next call. */
const char *http_server_url(struct http_server *s, const char *path);
/* PEM text of the certificate; the server's. */
const char *http_server_certificate(const struct http_server *s);

void http_server_answer(struct http_server *s, const struct http_answer *a);
/* What was stalled is answered now, by "200 OK". Plain HTTP only. */
void http_server_release(struct http_server *s);
/* The texts of *ret are the server's, valid until it is freed. */
void http_server_seen(struct http_server *s, size_t i, struct http_seen *ret);
size_t http_server_requests(struct http_server *s);
size_t http_server_connections(struct http_server *s);      /* accepted so far */
size_t http_server_open_connections(struct http_server *s); /* now */
uint64_t http_server_sent_bytes(struct http_server *s);
/* Blocks until `n` requests were read; false after `limit_us`. For tests whose client runs on other threads.
 */
bool http_server_wait(struct http_server *s, size_t n, int64_t limit_us);
/* Readable when something came in since the last http_server_clear(); for tests whose client runs on the
 * test's own loop. */
int http_server_event_fd(const struct http_server *s);
void http_server_clear_event(struct http_server *s);

/* The value of a header in `head`, trimmed; p NULL when absent. */
struct str http_header(const char *head, const char *name);

#endif
