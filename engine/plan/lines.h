/* lines.h - elementwise operators, one run along the last axis after the other. Layer: plan. */
#ifndef PLAN_LINES_H
#define PLAN_LINES_H

#include "engine/plan/layer.h"

/* One run: its first element in the result, and those of its operands. */
typedef void (*plan_line_fn)(const plan_step *s, size_t at, size_t a, size_t b);

/** Calls `line` for each run of a step that plan_bind_binary has bound. */
void plan_each_line(const plan_step *s, plan_line_fn line);

#endif /* PLAN_LINES_H */
