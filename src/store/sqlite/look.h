/*
 * look.h: a connection that leaves no trace.
 */
#ifndef STORE_SQLITE_LOOK_H
#define STORE_SQLITE_LOOK_H

#include "store/sqlite/file.h"

/* ERR_PRECONDITION: it was not shut down cleanly, and cannot be read before it is recovered.
 * *ret_alone: nobody had the database open, and what is read is good until look_is_over(). */
CHECKED enum err look_open(const struct sqlite_file *f, sqlite3 **ret, bool *ret_alone, struct error *err);
/* Somebody writes to it now. */
bool look_is_over(const struct sqlite_file *f);

#endif
