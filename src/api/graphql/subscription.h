/*
 * subscription.h: a subscription, told as server-sent events: GraphQL over SSE, "distinct connections mode"
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).
 */
#ifndef API_GRAPHQL_SUBSCRIPTION_H
#define API_GRAPHQL_SUBSCRIPTION_H

#include "api/events.h"
#include "api/graphql/operation.h"
#include "api/request.h"

/* Answers the request: by a stream, or by what is wrong with what is asked for. The operation passes on. */
void subscription_answer(struct request *r, struct operation *operation);

/* From the field's coerced arguments; texts are views into them. ERR_INVALID: err->text says which is wrong.
 * Pure. */
CHECKED enum err subscription_filter(const json_t *arguments, struct stream_filter *ret, struct error *err);

#endif
