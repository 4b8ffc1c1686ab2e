/*
 * clock.h: the two clocks. Only the edges read them (engine/loop, store/lane, api/http, main), once a turn;
 * everything below takes the time as an argument.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

struct wall clock_wall(void); /* CLOCK_REALTIME */
struct mono clock_mono(void); /* CLOCK_BOOTTIME: goes on while the machine is suspended */

#endif
