/* dtype.c - sizes and names of the element types. Layer: ir. Thread rule: no shared state. */
#include "engine/tensor.h"

static const struct {
    size_t size;
    const char *oip, *tf;
} types[] = {
#define X(name, size, oip, tf) {size, oip, tf},
    ENG_DTYPE_MAP(X)
#undef X
};

size_t eng_dtype_size(eng_dtype t)
{
    return types[t].size;
}

const char *eng_dtype_oip(eng_dtype t)
{
    return types[t].oip;
}

const char *eng_dtype_tf(eng_dtype t)
{
    return types[t].tf;
}
