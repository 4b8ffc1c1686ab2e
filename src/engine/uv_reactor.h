/*
 * uv_reactor.h: base/reactor.h on libuv, for what does I/O on the engine's loop.
 */
#ifndef ENGINE_UV_REACTOR_H
#define ENGINE_UV_REACTOR_H

#include "base/reactor.h"

struct uv_loop_s;
struct uv_reactor;

/* `loop` outlives it. What was unwatched or freed is gone only after one more turn of the loop. */
struct uv_reactor *uv_reactor_new(struct uv_loop_s *loop);
void uv_reactor_free(struct uv_reactor *r); /* MUST have no watch and no timer left; NULL is fine */
struct reactor *uv_reactor_base(struct uv_reactor *r);

#endif
