/* flexbuf.h - bounds-checked reading of a FlexBuffer whose root is a map of numbers.
 * Layer: format. Thread rule: one owner. */
#ifndef FMT_FLEXBUF_H
#define FMT_FLEXBUF_H

#include "engine/base/bytes.h"

typedef struct fmt_flex {
    nf_bytes file;
    bool bad;         /* sticks: an offset led out of the file, or a value is no number */
    size_t n;         /* entries */
    size_t at, width; /* of the values, and of one in bytes; their types stand behind them */
    size_t keys, key_width;
} fmt_flex;

/** Opens the root map; bad when there is none. */
fmt_flex fmt_flex_open(nf_bytes file);

/** The number under a key, `absent` when the map has no such key or is bad. */
double fmt_flex_number(fmt_flex *f, const char *key, double absent);

#endif /* FMT_FLEXBUF_H */
