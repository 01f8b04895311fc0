/* choose.c - implements choose.h. */
#include "choose.h"

static uint16_t place_of(const char *name)
{
    uint32_t place = 0;
    for (; *name; name++) place = place * 31 + (unsigned char)*name;
    return (uint16_t)place;
}

/* The operation whose place comes next: as on a ring, a new one takes over a part of one other's. */
const op *choose_op(const uint8_t choice[CHOICE_BYTES])
{
    uint16_t from = (uint16_t)(choice[0] | choice[1] << 8), least = UINT16_MAX;
    const op *found = ops[0];
    for (const op *const *o = ops; *o; o++) {
        uint16_t distance = (uint16_t)(place_of((*o)->name) - from);
        if (distance < least) {
            least = distance;
            found = *o;
        }
    }
    return found;
}
