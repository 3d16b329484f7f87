/* onnx_bytes.h - writes small ONNX files for tests: messages field by field. Layer: tests. */
#ifndef TEST_ONNX_BYTES_H
#define TEST_ONNX_BYTES_H

#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct bytes {
    uint8_t data[8192];
    size_t len;
} bytes;

static inline void put(bytes *b, const void *data, size_t len)
{
    assert_true(b->len + len <= sizeof(b->data));
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

static inline void put_varint(bytes *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        put(b, &(uint8_t){(uint8_t)(v | 0x80)}, 1);
    put(b, &(uint8_t){(uint8_t)v}, 1);
}

static inline void put_num(bytes *b, uint32_t field, int64_t v)
{
    put_varint(b, field << 3);
    put_varint(b, (uint64_t)v);
}

static inline void put_msg(bytes *b, uint32_t field, const void *data, size_t len)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, len);
    put(b, data, len);
}

static inline void put_text(bytes *b, uint32_t field, const char *s)
{
    put_msg(b, field, s, strlen(s));
}

/* An input (11) or output (12); a dim of 0 is symbolic. */
static inline void put_info(bytes *graph, uint32_t field, const char *name, int type,
                            const int64_t *dim, int rank)
{
    bytes shape = {.len = 0}, tensor = {.len = 0}, kind = {.len = 0}, info = {.len = 0};
    for (int i = 0; i < rank; i++) {
        bytes d = {.len = 0};
        if (dim[i])
            put_num(&d, 1, dim[i]);
        else
            put_text(&d, 2, "N");
        put_msg(&shape, 1, d.data, d.len);
    }
    put_num(&tensor, 1, type);
    put_msg(&tensor, 2, shape.data, shape.len);
    put_msg(&kind, 1, tensor.data, tensor.len);
    put_text(&info, 1, name);
    put_msg(&info, 2, kind.data, kind.len);
    put_msg(graph, field, info.data, info.len);
}

static inline void put_const(bytes *graph, const char *name, int type, const int64_t *dim, int rank,
                             nf_bytes raw)
{
    bytes t = {.len = 0};
    for (int i = 0; i < rank; i++)
        put_num(&t, 1, dim[i]);
    put_num(&t, 2, type);
    put_text(&t, 8, name);
    put_msg(&t, 9, raw.data, raw.len);
    put_msg(graph, 5, t.data, t.len);
}

/* "Conv: x w b -> y; group=2 pads=1,1,1,1 alpha=0.5f auto_pad=VALID" */
static inline void put_attr(bytes *node, const char *name, const char *value)
{
    bytes a = {.len = 0};
    char *end;
    put_text(&a, 1, name);
    const long first = strtol(value, &end, 10);
    if (strchr(value, ',')) {
        for (const char *s = value; s && *s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
            put_num(&a, 8, strtol(s, NULL, 10));
        put_num(&a, 20, 7);
    } else if (value[0] && value[strlen(value) - 1] == 'f') {
        const float f = strtof(value, NULL);
        put_varint(&a, 2 << 3 | 5);
        put(&a, &f, 4);
        put_num(&a, 20, 1);
    } else if (*end == '\0' && end != value) {
        put_num(&a, 3, first);
        put_num(&a, 20, 2);
    } else {
        put_text(&a, 4, value);
        put_num(&a, 20, 3);
    }
    put_msg(node, 5, a.data, a.len);
}

static inline void put_node(bytes *graph, const char *line)
{
    bytes node = {.len = 0};
    char text[256], *rest = text, *word, op[64] = "";
    uint32_t field = 1;
    snprintf(text, sizeof(text), "%s", line);
    for (int i = 0; (word = strtok_r(i ? NULL : text, " ", &rest)); i++) {
        const size_t n = strlen(word);
        char *eq = strchr(word, '=');
        const bool last = n > 0 && word[n - 1] == ';';
        if (last) word[n - 1] = '\0';
        if (i == 0) {
            snprintf(op, sizeof(op), "%.*s", (int)n - 1, word); /* without the colon */
        } else if (eq) {
            *eq = '\0';
            put_attr(&node, word, eq + 1);
        } else if (strcmp(word, "->") == 0) {
            field = 2;
        } else {
            put_text(&node, field, strcmp(word, "_") == 0 ? "" : word);
        }
    }
    put_text(&node, 4, op);
    put_msg(graph, 1, node.data, node.len);
}

/* The whole file around a graph. */
static inline bytes onnx_file(const bytes *graph, int64_t opset)
{
    bytes file = {.len = 0}, set = {.len = 0};
    put_num(&file, 1, 8);
    put_msg(&file, 7, graph->data, graph->len);
    put_num(&set, 2, opset);
    put_msg(&file, 8, set.data, set.len);
    return file;
}

#endif /* TEST_ONNX_BYTES_H */
