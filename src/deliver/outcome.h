/*
 * outcome.h: an attempt's result written down: plain text of bounded length, whoever it came from. Pure.
 */
#ifndef DELIVER_OUTCOME_H
#define DELIVER_OUTCOME_H

#include "deliver/deliver.h"

void outcome_clear(struct delivery *d);
/*
 * Fails the attempt. Whatever bytes a peer or a library put into `text`, what is kept is printable UTF-8, cut
 * to ATTEMPT_TEXT_MAX.
 */
void outcome_error(struct delivery *d, const char *text);
/*
 * Nothing was sent, for want of something of ours: the run will be tried again, and it was no attempt. Not
 * when a byte of the request may have left.
 */
void outcome_not_sent(struct delivery *d, const char *text);
/* Whether `number` (of errno) says that we lack descriptors, buffers or memory. */
bool outcome_is_want(int number);
/* Whether a descriptor could be had now. Where a library does not say why it failed. */
bool outcome_lacks_descriptors(void);
/* Blots out every occurrence of `secret` in `text`: for text of a peer, which may send back what it got. */
void outcome_hide(char *text, struct str secret);

#endif
