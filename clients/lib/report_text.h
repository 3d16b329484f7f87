/* report_text.h - results as tables for people. Layer: clients. Thread rule: no shared state. */
#ifndef CL_REPORT_TEXT_H
#define CL_REPORT_TEXT_H

#include "clients/lib/report_json.h"

void cl_text_comparison(const cl_comparison *c, FILE *to);

#endif /* CL_REPORT_TEXT_H */
