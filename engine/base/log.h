/* log.h - one line an event, to a callback. Layer: base. Thread rule: any thread; set the sink
 * before the first thread starts. */
#ifndef NF_LOG_H
#define NF_LOG_H

typedef enum nf_log_level { NF_LOG_ERROR, NF_LOG_WARN, NF_LOG_INFO, NF_LOG_DEBUG } nf_log_level;

/* area: the part that speaks ("registry"). text: one line, control characters already escaped. */
typedef void (*nf_log_sink)(nf_log_level level, const char *area, const char *text, void *user);

/** Messages above `most` are dropped; NULL as sink drops all (the default). */
void nf_log_set(nf_log_sink sink, void *user, nf_log_level most);

/** Formats one line, escapes bytes outside printable ASCII, hands it to the sink. */
void nf_log(nf_log_level level, const char *area, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

const char *nf_log_level_name(nf_log_level level);

#endif /* NF_LOG_H */
