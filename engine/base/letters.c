/* letters.c - upper and lower case of text in UTF-8. Layer: base. Thread rule: no shared state.
 * Source of the ranges: UnicodeData.txt. */
#include "engine/base/letters.h"

/* Upper-case letters first .. last; their partners stand `step` behind them. Of pairs (step 1) the
 * upper one is even, or odd. */
static const struct {
    uint32_t first, last, step;
    bool odd;
} ranges[] = {
    {'A', 'Z', 32, false},     {0xc0, 0xd6, 32, false},   {0xd8, 0xde, 32, false},
    {0x100, 0x12f, 1, false},  {0x132, 0x137, 1, false},  {0x139, 0x148, 1, true},
    {0x14a, 0x177, 1, false},  {0x179, 0x17e, 1, true},   {0x388, 0x38a, 37, false},
    {0x391, 0x3a1, 32, false}, {0x3a3, 0x3ab, 32, false}, {0x400, 0x40f, 80, false},
    {0x410, 0x42f, 32, false}, {0x460, 0x481, 1, false},  {0x48a, 0x4bf, 1, false},
    {0x4c1, 0x4ce, 1, true},   {0x4d0, 0x52f, 1, false},
};

static uint32_t letter(uint32_t c, bool upper)
{
    for (size_t i = 0; i < NF_COUNT(ranges); i++) {
        const uint32_t step = ranges[i].step, from = ranges[i].first + (upper ? step : 0);
        const uint32_t to = ranges[i].last + (upper && step > 1 ? step : 0);
        if (c < from || c > to) continue;
        if (step == 1 && (c % 2 == (ranges[i].odd ? 1u : 0u)) == upper) continue;
        return upper ? c - step : c + step;
    }
    return c;
}

void nf_letters(char *out, nf_span text, bool upper)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char a = (unsigned char)text.s[i];
        const unsigned char b = i + 1 < text.len ? (unsigned char)text.s[i + 1] : 0;
        if (a < 0x80) {
            out[i] = (char)letter(a, upper);
        } else if (a >= 0xc2 && a <= 0xdf && (b & 0xc0) == 0x80) {
            const uint32_t c = letter((uint32_t)(a & 0x1f) << 6 | (b & 0x3f), upper);
            out[i++] = (char)(0xc0 | c >> 6);
            out[i] = (char)(0x80 | (c & 0x3f));
        } else {
            out[i] = (char)a;
        }
    }
}

bool nf_texts_equal(nf_span a, nf_span b, bool any_case)
{
    if (a.len != b.len) return false;
    if (!any_case) return a.len == 0 || memcmp(a.s, b.s, a.len) == 0;
    for (size_t i = 0; i < a.len;) { /* letters of two bytes stay whole: they lie in one part */
        char p[64], q[64];
        size_t n = a.len - i < sizeof(p) ? a.len - i : sizeof(p);
        while (n > 1 && n < a.len - i && (a.s[i + n] & 0xc0) == 0x80)
            n--;
        nf_letters(p, (nf_span){a.s + i, n}, false);
        nf_letters(q, (nf_span){b.s + i, n}, false);
        if (memcmp(p, q, n) != 0) return false;
        i += n;
    }
    return true;
}
