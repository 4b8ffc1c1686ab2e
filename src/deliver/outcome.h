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
/* Blots out every occurrence of `secret` in `text`: for text of a peer, which may send back what it got. */
void outcome_hide(char *text, struct str secret);

#endif
