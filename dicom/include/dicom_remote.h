/* dicom_remote.h - this room's reading, done in another process.
 *
 * The helper program (dicom/helper/, hilum-decode) reads requests from a socket and answers them;
 * this is the other end. The one who starts, watches and kills the helper is the application; here
 * are only the words that the two speak, so that both are in one room. The helper gets an open
 * descriptor with each question and needs no file system. Its answer is as foreign as the file that
 * it read: every field is checked.
 *
 * Thread rule: a DicomRemote belongs to one thread at a time.
 */
#ifndef HILUM_DICOM_REMOTE_H
#define HILUM_DICOM_REMOTE_H

#include "dicom.h"

G_BEGIN_DECLS

/* What travels (wire-info.c, wire-frame.c). Unpacking checks everything, and trusts no length. */
GBytes *dicom_info_pack(const DicomInfo *info);
DicomInfo *dicom_info_unpack(const guint8 *bytes, gsize n, GError **error);
/* A frame without its pixels, and its pixels. PIXELS is kept by the frame, not copied. */
GBytes *dicom_frame_pack(const DicomFrame *frame);
DicomFrame *dicom_frame_unpack(const guint8 *bytes, gsize n, GBytes *pixels, GError **error);

/* Of DicomTag *. */
GBytes *dicom_tags_pack(const GPtrArray *tags);
GPtrArray *dicom_tags_unpack(const guint8 *bytes, gsize n, GError **error);

typedef enum {
  DICOM_REMOTE_GOOD,
  DICOM_REMOTE_GONE,      /* the socket is closed: the process ended */
  DICOM_REMOTE_LATE,      /* no answer in time */
  DICOM_REMOTE_MAD,       /* an answer that cannot be */
  DICOM_REMOTE_CANCELLED, /* never a lasting state: the answer is owed */
} DicomRemoteState;

/* What the helper's sandbox is. NOTE: why system calls are not filtered, "" when they are. The
 * denials are known after dicom_remote_sandbox(). */
typedef struct {
  gboolean filtered;
  gboolean open_denied, write_denied, connect_denied, fork_denied;
  char note[108];
} DicomSandbox;

/* Opens PATH for a helper: a regular file, without ever waiting for it. -1 on error. */
int dicom_remote_open(const char *path, GError **error);

typedef struct _DicomRemote DicomRemote;
/* SOCKET: a connected SOCK_SEQPACKET Unix socket, which becomes the remote's. */
DicomRemote *dicom_remote_new(int socket);
void dicom_remote_free(DicomRemote *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomRemote, dicom_remote_free)

/* Anything but GOOD: the helper must be killed. */
DicomRemoteState dicom_remote_state(const DicomRemote *remote);
/* Calls that wait give up when FD (-1: none) becomes readable: DICOM_ERROR_HELPER, the state stays
 * GOOD, and the answer is owed. */
void dicom_remote_cancel_by(DicomRemote *remote, int fd);
/* Questions that were asked and whose answers were not taken. */
guint dicom_remote_owed(const DicomRemote *remote);
/* Takes and drops the owed answers. FALSE: they did not come in time, or the helper is gone. */
gboolean dicom_remote_settle(DicomRemote *remote, guint timeout_ms);
/* The helper's first word, which it says when its sandbox is closed. Other calls wait for it too.
 * SANDBOX may be NULL. */
gboolean dicom_remote_greet(DicomRemote *remote, DicomSandbox *sandbox, guint timeout_ms,
                            GError **error);

/* Each call: one question, one answer within TIMEOUT_MS (the summary: TIMEOUT_MS for each frame).
 * FD, from dicom_remote_open(), is borrowed; NAME is for messages and for info->path.
 * DICOM_ERROR_HELPER: about the helper (see the state), the message without NAME; any other error
 * is about the file, and the remote is as good as before. */
DicomInfo *dicom_remote_info(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                             GError **error);
/* PRESENTATION_FD: a presentation state to apply, by the name of PRESENTATION; or -1 and NULL. */
DicomFrame *dicom_remote_frame(DicomRemote *remote, int fd, const char *name, guint frame,
                               int presentation_fd, const char *presentation, guint timeout_ms,
                               GError **error);
gboolean dicom_remote_summary(DicomRemote *remote, int fd, const char *name, char md5[33],
                              double *pix_min, double *pix_max, guint timeout_ms, GError **error);
char *dicom_remote_report_text(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                               GError **error);
GBytes *dicom_remote_pdf(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                         GError **error);
/* Of DicomTag *: dicom_file_tags(). */
GPtrArray *dicom_remote_tags(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                             GError **error);
/* What the sandbox lets a helper do: it tries to open, to write, to connect and to fork, and says
 * what came of it. For tests and for `hilum image sandbox`. */
gboolean dicom_remote_sandbox(DicomRemote *remote, DicomSandbox *sandbox, guint timeout_ms,
                              GError **error);

/* The two halves of dicom_remote_info(), for several questions under way; answers come in the order
 * of the questions. */
gboolean dicom_remote_ask_info(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                               GError **error);
DicomInfo *dicom_remote_take_info(DicomRemote *remote, const char *name, guint timeout_ms,
                                  GError **error);

G_END_DECLS
#endif
