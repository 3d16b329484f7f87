/* utf8.c - checks UTF-8. Layer: server/base. Source: RFC 3629, section 4 (table of ranges). */
#include "server/base/utf8.h"

typedef struct utf8_row { /* lead byte from..to, then the range of the second byte */
    unsigned char from, to, second_from, second_to;
    unsigned char length;
} utf8_row;

static const utf8_row rows[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t srv_utf8_length(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = 0; len && i < sizeof(rows) / sizeof(rows[0]); i++) {
        const utf8_row *r = &rows[i];
        if (s[0] < r->from || s[0] > r->to) continue;
        if (r->length == 1) return 1;
        if (len < r->length || s[1] < r->second_from || s[1] > r->second_to) return 0;
        for (size_t k = 2; k < r->length; k++)
            if ((s[k] & 0xc0) != 0x80) return 0;
        return r->length;
    }
    return 0;
}
