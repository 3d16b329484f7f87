/* fmt_zip.c - finds a stored entry of a zip archive. Layer: format. Thread rule: pure function. */
#include "engine/format/fmt_zip.h"

#define END_BYTES     22
#define COMMENT_MOST  65535
#define CENTRAL_BYTES 46
#define LOCAL_BYTES   30
#define ENTRIES_MOST  4096
#define ENCRYPTED     1u

static uint32_t u16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
    return u16(p) | u16(p + 2) << 16;
}

/* Where the archive's end record is: its comment reaches to the end of the file. */
static bool find_end(size_t *out, nf_bytes file)
{
    const size_t most = END_BYTES + COMMENT_MOST;
    for (size_t back = END_BYTES; back <= file.len && back <= most; back++) {
        const uint8_t *const p = file.data + file.len - back;
        if (u32(p) != 0x06054b50 || u16(p + 20) != back - END_BYTES) continue;
        *out = file.len - back;
        return true;
    }
    return false;
}

/* The bytes behind the local header at `at`, which repeats the lengths of name and extra field. */
static bool content_at(nf_bytes *out, nf_bytes file, size_t at, size_t bytes)
{
    nf_bytes head;
    if (!nf_bytes_sub(&head, file, at, LOCAL_BYTES) || u32(head.data) != 0x04034b50) return false;
    const size_t skip = LOCAL_BYTES + u16(head.data + 26) + u16(head.data + 28);
    return skip <= file.len - at && nf_bytes_sub(out, file, at + skip, bytes);
}

bool fmt_zip_find(nf_bytes *out, nf_bytes file, nf_span name)
{
    size_t end;
    nf_bytes central;
    if (!find_end(&end, file)) return false;
    const size_t bytes = u32(file.data + end + 12), offset = u32(file.data + end + 16);
    if (bytes > end || offset > end - bytes) return false;
    const size_t base = end - bytes - offset; /* offsets may count from the archive's own start */
    size_t at = end - bytes;
    for (int i = 0; i < ENTRIES_MOST && at < end; i++) {
        if (!nf_bytes_sub(&central, file, at, CENTRAL_BYTES)) return false;
        const uint8_t *const p = central.data;
        if (u32(p) != 0x02014b50) return false;
        const size_t n = u16(p + 28), more = n + u16(p + 30) + u16(p + 32);
        nf_bytes text;
        if (!nf_bytes_sub(&text, file, at + CENTRAL_BYTES, n)) return false;
        const bool same = n == name.len && memcmp(text.data, name.s, n) == 0;
        const bool stored =
            u16(p + 10) == 0 && !(u16(p + 8) & ENCRYPTED) && u32(p + 20) == u32(p + 24);
        if (same) return stored && content_at(out, file, base + u32(p + 42), u32(p + 20));
        at += CENTRAL_BYTES + more;
    }
    return false;
}
