/* krn_qs8_conv.h - 8-bit convolutions and matrix products on the tiles of an instruction set.
 * Layer: kernels. Thread rule: a packed product is read-only; runs touch only their scratch. */
#ifndef KRN_QS8_CONV_H
#define KRN_QS8_CONV_H

#include "engine/kernels/krn_qs8_tile.h"
#include "engine/kernels/krn_window.h"

/* What a product is made of, as files give it. */
typedef struct krn_qs8_source {
    const int8_t *w;            /* conv: [out_c][taps][in_c / groups]; depthwise: [taps][out_c] */
    size_t parts;               /* w NULL, weights up to 255 come later: each window is used for so
                                   many sets of them; a matrix product */
    const krn_requant *requant; /* [out_c] arrays; NULL: outputs are the sums of x * w */
    krn_window window;          /* of one image; a matrix product is a 1 x 1 window */
    size_t groups;
    int32_t zero;     /* of x; 0 where outputs are sums */
    bool is_unsigned; /* x */
    bool out_unsigned;
    bool four; /* weights from -8 to 7 that a product keeps in 4 bits; of depthwise ones: no */
} krn_qs8_source;

typedef struct krn_qs8_block { /* some channels */
    const uint8_t *w;
    size_t vecs, x_at, y_at; /* x_at: staged bytes from a window's first to the group's first */
    size_t at, keep;         /* first packed channel; channels stored of vecs * lanes */
    uint8_t step[KRN_QS8_MOST_ROWS + 1]; /* pixels a tile for so many; [0]: for a longer row */
} krn_qs8_block;

typedef struct krn_qs8_conv {
    const krn_qs8_tier *tier;
    krn_window window;
    krn_qs8_mode mode;
    bool is_unsigned;
    bool four;               /* weights of 4 bits */
    bool flat;               /* the matrix of windows is x itself */
    size_t merged;           /* neighbouring output pixels that share a vector of sums */
    size_t k;                /* inputs an output */
    size_t chunk;            /* rows of a flat product that are staged at once; 0: none are */
    int16_t staged_zero;     /* what padding holds */
    size_t size;             /* bytes of an output */
    size_t stage_w, stage_h; /* pixels of the staged image */
    size_t runs, groups;     /* a window: runs of groups of four bytes */
    size_t n_blocks;
    const krn_qs8_block *block;
    const int32_t *run;
    krn_qs8_tail tail;
    size_t bytes; /* of all that block, run and tail point to */
} krn_qs8_conv;

/** Bytes that krn_qs8_conv_pack wants; 0: this product is not for this tier (some sum could leave
 * 32 bits, or some factor is too large for it). */
size_t krn_qs8_conv_bytes(const krn_qs8_tier *tier, const krn_qs8_source *s);

/** Packs into `memory` (zeroed, aligned to 64, of that many bytes), which must outlive *c. */
void krn_qs8_conv_pack(krn_qs8_conv *c, const krn_qs8_tier *tier, const krn_qs8_source *s,
                       void *memory);

/** Bytes of scratch for `rows` rows of a flat product, or for an image (rows is ignored). */
size_t krn_qs8_conv_scratch(const krn_qs8_conv *c, size_t rows);

/** One image, x [in_h, in_w, in_c] to y [out_h, out_w, out_c]; or, when c->flat, `rows` rows. */
void krn_qs8_conv_run(uint8_t *y, const uint8_t *x, const krn_qs8_conv *c, size_t rows,
                      void *scratch);

/** The same, of a product whose outputs are the sums of x * w, padding being `zero`. */
void krn_qs8_conv_sums(void *y, const uint8_t *x, const krn_qs8_conv *c, size_t rows, int32_t zero,
                       void *scratch);

#endif /* KRN_QS8_CONV_H */
