/* krn_qs8_tile.h - the inner kernels of 8-bit products, one set for each instruction set.
 * Layer: kernels. Thread rule: pure functions.
 *
 * A tier works on staged activations and packed weights. Staged: the 8-bit values in the form that
 * its dot product wants, `elem` bytes each, with padding around the image where there is any.
 * Packed: for each four staged bytes of a window, one vector of weights for `lanes` channels.
 * Weights of 4 bits lie two in a byte, 8 added to each: byte i holds weight i of the vector below
 * weight i + n / 2 of n. */
#ifndef KRN_QS8_TILE_H
#define KRN_QS8_TILE_H

#include "engine/kernels/krn_qs8.h"

#include <string.h>

#define KRN_QS8_MOST_LANES   16
#define KRN_QS8_MOST_VECS    4  /* vectors of channels a tile */
#define KRN_QS8_MOST_ROWS    16 /* pixels a tile */
#define KRN_QS8_SLACK        64 /* bytes that a kernel may read behind staged values and weights */
#define KRN_QS8_DOUBT_EXACT  2  /* in 2^-16; twice as much is left to integers */
#define KRN_QS8_DOUBT_SIGNED 4

/* Loops over the sums of a tile must vanish, or the sums live in memory. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

/* The same byte or number many times, to be loaded as a vector. Outputs are limited as int8; uint8
 * ones are moved down by 128 before, and up again by a flipped bit. */
typedef struct krn_qs8_limits {
    int16_t zero[32]; /* KRN_QS8_NEAREST */
    int8_t low[64], high[64];
    uint8_t flip[64];     /* 0x80 or 0 */
    bool full;            /* int8 from -128 to 127: saturation is limit enough */
    float base[16];       /* KRN_QS8_SIGNED: see qs8_tail.h */
    int32_t doubtful[16]; /* the bits whose absence says that integers decide: see qs8_tail.h */
} krn_qs8_limits;

/* How sums become bytes. The arrays run over packed channels. */
typedef struct krn_qs8_tail {
    const krn_qs8_limits *limits;
    const int32_t *bias;      /* zero points folded in */
    const float *scale;       /* KRN_QS8_NEAREST: the factor; else 2^16 times it */
    const float *nudge;       /* KRN_QS8_EXACT, _SIGNED: see qs8_tail.h */
    const krn_factor *factor; /* KRN_ROUND_FIXED */
    const double *real;       /* KRN_ROUND_AWAY */
    krn_round round;
} krn_qs8_tail;

typedef enum krn_qs8_mode {
    KRN_QS8_NEAREST, /* float scale, nearest even */
    KRN_QS8_EXACT,   /* exact roundings, by integers where floats leave a doubt */
    KRN_QS8_SIGNED,  /* the same where the rounding depends on the sign, or sums are large */
    KRN_QS8_SUMS,    /* the int32 sums themselves */
    KRN_QS8_MODES
} krn_qs8_mode;

/* One block of channels of a product, for every pixel. */
typedef struct krn_qs8_tile {
    const uint8_t *w;         /* [runs][groups][vecs][planes][lanes][4 bytes / planes], or four */
    const int32_t *run;       /* [runs]: bytes from a window's first byte to each of its runs */
    size_t runs, groups;      /* groups of four bytes a run */
    ptrdiff_t x_step, y_step; /* bytes from one pixel to the next */
    const krn_qs8_tail *tail;
    size_t at; /* the block's first packed channel */
} krn_qs8_tile;

/* The outputs of `rows` pixels (a constant of the function): vecs * lanes of them each are stored,
 * bytes or (KRN_QS8_SUMS) int32. */
typedef void (*krn_qs8_tile_fn)(uint8_t *y, const uint8_t *x, const krn_qs8_tile *t);

/* One line of outputs of a depthwise convolution. A strip holds four rows of an image side by side:
 * [elem * planes][columns][channels][4 / elem / planes], four staged values a channel, which one
 * dot product takes; its planes stand `plane` bytes apart. */
typedef struct krn_qs8_line {
    const uint8_t *const *strip; /* [strips]: at the first column of the first position */
    const uint8_t *w;            /* [vectors][strips][taps][outs][lanes of four] */
    size_t strips, taps;         /* taps of a kernel row */
    size_t plane;
    size_t tap_step;           /* strip bytes from one tap to the next */
    size_t x_step, y_step;     /* strip bytes and output bytes from one position to the next */
    size_t positions, vectors; /* of output; vectors of channels at each position */
    const krn_qs8_tail *tail;
} krn_qs8_line;

/* y: the line, and the line below it where the kernel makes two; lanes outputs are stored for each
 * position and vector. */
typedef void (*krn_qs8_line_fn)(uint8_t *const y[2], const krn_qs8_line *d);

/* Makes n columns x channels of a strip from four rows; `wide` ones have the channels of a unit in
 * the order that krn_qs8_place tells. */
#define KRN_DECL_QS8_STRIP(name)                                                                   \
    void name(uint8_t *strip, size_t plane, const uint8_t *const row[4], size_t n, bool is_unsigned)
typedef KRN_DECL_QS8_STRIP((*krn_qs8_strip_fn));

/* dst[i] = src[i] in staged form, i < n */
#define KRN_DECL_QS8_STAGE(name)                                                                   \
    void name(void *dst, const uint8_t *src, size_t n, bool is_unsigned)
typedef KRN_DECL_QS8_STAGE((*krn_qs8_stage_fn));

typedef struct krn_qs8_tier {
    const char *name;
    size_t lanes;  /* sums a vector */
    size_t elem;   /* bytes of a staged value */
    size_t planes; /* vectors that share the four bytes of a group, one beside the other */
    int32_t origin_signed, origin_unsigned; /* staged = q - origin */
    bool raw_signed, raw_unsigned;          /* staged values are the tensor's own bytes */
    size_t vecs;                            /* 1, 2 or 4: most vectors of channels a tile */
    /* [weights of 4 bits], or NULL */
    krn_qs8_tile_fn tile[2][KRN_QS8_MODES][KRN_QS8_MOST_VECS + 1][KRN_QS8_MOST_ROWS + 1];
    krn_qs8_stage_fn stage;
    size_t strip_step; /* n of strip() is a multiple of it */
    size_t unit;       /* n of strip_wide() is; channels that are interleaved at once */
    krn_qs8_strip_fn strip, strip_wide;
    /* By lines at once, 1 or 2, and taps of a kernel row, 0: any number; NULL where there is none.
     * wide: four vectors of channels at a time; narrow: one, at four positions or more. */
    krn_qs8_line_fn narrow[KRN_QS8_MODES][3][4], wide[KRN_QS8_MODES][3][4];
} krn_qs8_tier;

extern const krn_qs8_tier krn_qs8_avx2, krn_qs8_avxvnni, krn_qs8_avx512vnni;
extern const krn_qs8_tier krn_qs8_neon, krn_qs8_dotprod;

/* to[i] = from[i] ^ flip, i < n: a few bytes, eight at a time. Masked stores would be shorter, but
 * what is read from them soon after has to wait. */
static inline void krn_qs8_flip(uint8_t *to, const uint8_t *from, size_t n, uint8_t flip)
{
    const uint64_t flips = flip * 0x0101010101010101u;
    uint64_t eight;
    for (size_t i = 0; n >= 8 && i < n; i += 8) {
        const size_t at = i + 8 <= n ? i : n - 8;
        memcpy(&eight, from + at, sizeof(eight));
        eight ^= flips;
        memcpy(to + at, &eight, sizeof(eight));
    }
    for (size_t i = 0; n < 8 && i < n; i++)
        to[i] = from[i] ^ flip;
}

/** Place among the bytes of four vectors of what lane l of vector v stands for, in wide strips. */
static inline size_t krn_qs8_place(size_t unit, size_t lanes, size_t v, size_t l)
{
    const size_t n = unit / lanes; /* vectors a unit */
    return v / n * unit + l / 4 * (4 * n) + v % n * 4 + l % 4;
}

/** Settles the outputs that are in doubt: where v[i] has none of the doubtful bits, y[i] is
 * computed again from sum[i], by integers or doubles; i is in packed channel at[i / lanes] + i %
 * lanes. */
void krn_qs8_settle(uint8_t *y, const int32_t *v, const int32_t *sum, const krn_qs8_tail *t,
                    const size_t at[KRN_QS8_MOST_VECS], size_t lanes);

#endif /* KRN_QS8_TILE_H */
