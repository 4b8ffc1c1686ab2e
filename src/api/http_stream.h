/*
 * http_stream.h: a stream of events as the body of an answer.
 */
#ifndef API_HTTP_STREAM_H
#define API_HTTP_STREAM_H

struct MHD_Connection;
struct MHD_Response;
struct stream;

/* The stream passes to the response. NULL without memory: it is still the caller's. HTTP thread. */
struct MHD_Response *http_stream_response(struct stream *s, struct MHD_Connection *connection);

#endif
