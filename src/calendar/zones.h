/*
 * zones.h: the zones of the system's database, each read once and kept.
 *
 * Any thread may ask; a zone lives as long as its database. The number of zones kept is bounded by the
 * files that exist. Names cannot escape the directory.
 */
#ifndef CALENDAR_ZONES_H
#define CALENDAR_ZONES_H

#include "base/base.h"
#include "base/error.h"
#include "calendar/zone.h"

struct zones;

/* `dir`: such as /usr/share/zoneinfo. ERR_IO when it is no readable directory. */
CHECKED enum err zones_new(const char *dir, struct zones **ret, struct error *err);
void zones_free(struct zones *z);
CLEANUP_FN(struct zones, zones_free)

/* An IANA name ("Asia/Seoul", "UTC"). ERR_INVALID with a text for the user when unknown or malformed. *ret is
 * the database's. */
CHECKED enum err zones_get(struct zones *z, struct str name, const struct zone **ret, struct error *err);
/* The database's release ("2025b") from its +VERSION or tzdata.zi, or "" when it does not say. */
const char *zones_version(const struct zones *z);

#endif
