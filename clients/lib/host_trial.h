/* host_trial.h - tries what changes a network, in a namespace that ends with the try. Layer:
 * clients. Thread rule: one thread: it forks. */
#ifndef CL_HOST_TRIAL_H
#define CL_HOST_TRIAL_H

/** Makes a TUN device. 0, or the errno of what did not work. */
int cl_trial_tun(void);

/** Puts a netem queue on the loopback device. 0, or the errno: ENOENT means that the kernel has no
 * such queue. */
int cl_trial_netem(void);

#endif /* CL_HOST_TRIAL_H */
