/* link_profiles.h - named links with the source of their numbers. Layer: clients.
 * Thread rule: the table is const. */
#ifndef CL_LINK_PROFILES_H
#define CL_LINK_PROFILES_H

#include "clients/lib/link_settings.h"

typedef struct cl_profile {
    char name[32];
    int64_t rtt_us;           /* the whole round trip; the link gives half of it each way */
    int64_t down_bps, up_bps; /* as seen from the device; 0 = not limited */
    double loss;              /* share of segments lost, each way; 1 = nothing passes */
    char source[200];         /* where the numbers come from */
} cl_profile;

/** The built-in profiles, best known first. */
const cl_profile *cl_profiles(size_t *n);

/**
 * A profile by its name in the table, or, when `name` holds a '/' or ends in ".json", from that
 * file: one object with "name", "source" and any of rtt_us, up_bps, down_bps, loss.
 * NF_EINVAL (unknown name, bad field), NF_ENOTFOUND, NF_EIO.
 */
nf_status cl_profile_get(cl_profile *out, const char *name, nf_error *err);

/** Sets what a profile says; the rest of `s` stays. A loss of 1 is an outage, not a setting. */
void cl_profile_apply(cl_link_settings *s, const cl_profile *p);

#endif /* CL_LINK_PROFILES_H */
