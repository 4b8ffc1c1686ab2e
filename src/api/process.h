/*
 * process.h: what the system says about this process, as Prometheus names it.
 */
#ifndef API_PROCESS_H
#define API_PROCESS_H

#include "base/buf.h"

/* What cannot be read is left out. */
void process_write(struct buf *out);

#endif
