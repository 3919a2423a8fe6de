/* dicom_remote.h - this room's reading, done in another process.
 *
 * The helper program (dicom/helper/, hilum-decode) reads requests from a socket and answers them;
 * this is the other end. The one who starts, watches and kills the helper is the application; here
 * are only the words that the two speak, so that both are in one room. A helper's answer is as
 * foreign as the file that it read: every field is checked.
 *
 * Thread rule: a DicomRemote belongs to one thread at a time.
 */
#ifndef HILUM_DICOM_REMOTE_H
#define HILUM_DICOM_REMOTE_H

#include "dicom.h"

G_BEGIN_DECLS

/* What travels (wire.c). Both directions check everything, and neither trusts a length. */
GBytes *dicom_info_pack(const DicomInfo *info);
DicomInfo *dicom_info_unpack(const guint8 *bytes, gsize n, GError **error);
/* A frame without its pixels, and its pixels. BYTES is kept by the frame, not copied. */
GBytes *dicom_frame_pack(const DicomFrame *frame);
DicomFrame *dicom_frame_unpack(const guint8 *bytes, gsize n, GBytes *pixels, GError **error);

typedef struct _DicomRemote DicomRemote;
/* SOCKET: a connected SOCK_SEQPACKET or SOCK_STREAM Unix socket, which becomes the remote's. */
DicomRemote *dicom_remote_new(int socket);
void dicom_remote_free(DicomRemote *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomRemote, dicom_remote_free)

/* Each call: one question, one answer within TIMEOUT_MS. FD is borrowed; NAME is for messages.
 * DICOM_ERROR_HELPER: the helper is gone, late or mad, and must be killed; any other error is about
 * the file. CANCELLABLE may be NULL; a cancelled call is DICOM_ERROR_HELPER too. */
DicomInfo *dicom_remote_info(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                             GError **error);
/* PRESENTATION_FD: a presentation state to apply, or -1. */
DicomFrame *dicom_remote_frame(DicomRemote *remote, int fd, const char *name, guint frame,
                               int presentation_fd, guint timeout_ms, GError **error);
gboolean dicom_remote_summary(DicomRemote *remote, int fd, const char *name, char md5[33],
                              double *pix_min, double *pix_max, guint timeout_ms, GError **error);
char *dicom_remote_report_text(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                               GError **error);
GBytes *dicom_remote_pdf(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                         GError **error);
/* What the sandbox lets a helper do: it tries to open, to write, to connect and to fork, and says
 * what came of it. TRUE when all four were denied. For tests and for `hilum image sandbox`. */
gboolean dicom_remote_sandbox(DicomRemote *remote, char **report, guint timeout_ms, GError **error);

/* The helper's whole life after main(): limits, sandbox, requests from SOCKET until it closes.
 * Returns the exit status. */
int dicom_helper_run(int socket);

G_END_DECLS
#endif
