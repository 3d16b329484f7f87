/* letters.h - upper and lower case of text in UTF-8, the same in every locale. Layer: base.
 *
 * Letters of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic that have a partner of as many
 * bytes; all else stays as it is. */
#ifndef NF_LETTERS_H
#define NF_LETTERS_H

#include "engine/base/bytes.h"

/** Writes text.len bytes: the text in upper or lower case. `out` may be the text itself. */
void nf_letters(char *out, nf_span text, bool upper);

/** Equal texts; with `any_case` also those that differ in the case of their letters only. */
bool nf_texts_equal(nf_span a, nf_span b, bool any_case);

#endif /* NF_LETTERS_H */
