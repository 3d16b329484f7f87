/* utf8.h - is it UTF-8? Layer: server/base. Thread rule: no shared state. */
#ifndef SRV_UTF8_H
#define SRV_UTF8_H

#include <stddef.h>

/** Bytes (1..4) of the character at s, of which `len` bytes are there; 0 when it is not well-formed
 * UTF-8: overlong, a surrogate, above U+10FFFF, cut off. */
size_t srv_utf8_length(const char *s, size_t len);

#endif /* SRV_UTF8_H */
