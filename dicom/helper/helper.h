/* helper.h - the decoding helper process, hilum-decode: what reads foreign files, and can do
 * nothing else. Private to the program and its tests. */
#ifndef HILUM_DICOM_HELPER_H
#define HILUM_DICOM_HELPER_H

#include "dicom/wire/packet.h"

/* The descriptor on which the program finds its socket. */
#define DICOM_HELPER_SOCKET 3

/* The helper's whole life after main(): limits, sandbox, requests from SOCKET until it closes.
 * Returns the exit status. */
int dicom_helper_run(int socket);
/* The requests alone. RENEW is called with the time that the next request or frame may take, and
 * with 0 before the helper rests; NULL in tests, whose own process this is. */
int dicom_helper_serve(int socket, const DicomHello *hello, void (*renew)(guint timeout_ms));

/* ---- sandbox.c --------------------------------------------------------------------------------
 */

/* Resource limits. */
void dicom_helper_limit(void);
/* Closes the sandbox, and fills what HELLO says of it. */
void dicom_helper_close_sandbox(DicomHello *hello, int socket);
/* TIMEOUT_MS more of processor time from now on, and three times that by the clock. 0: no clock. */
void dicom_helper_renew(guint timeout_ms);
/* Tries what must be denied. */
void dicom_helper_try(DicomHello *hello);

#endif
