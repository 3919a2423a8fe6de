/* decoder.h - the pool of decoding helpers: one process per core, started once, kept warm.
 *
 * The one place where the application reads a foreign image. Everything goes to a helper
 * (dicom/helper/, found as $HILUM_DECODE, beside the program, in the build folder, or where it was
 * installed); one that dies or is late costs the file that it was reading and is started anew.
 *
 * Thread rule: any thread; calls wait for a free helper.
 */
#ifndef HILUM_APP_DECODER_H
#define HILUM_APP_DECODER_H

#include <gio/gio.h>

#include "dicom.h"
#include "dicom_remote.h"

G_BEGIN_DECLS

/* Starts the helpers ahead of the first file, and does not wait for them; otherwise each is started
 * by the first call that needs it. */
void app_decoder_warm(void);
/* Ends them; for the end of the program and for tests. */
void app_decoder_stop(void);
guint app_decoder_n_helpers(void); /* of the pool: cores, 1 to 16 */

/* Each reads PATH in a helper. A helper's death is one refused file: DICOM_ERROR_HELPER with a
 * message that names PATH. CANCELLABLE may be NULL; a cancelled call is G_IO_ERROR_CANCELLED. */
DicomInfo *app_decoder_info(const char *path, GCancellable *cancellable, GError **error);
/* PRESENTATION: path of a presentation state to apply, or NULL. */
DicomFrame *app_decoder_frame(const char *path, guint frame, const char *presentation,
                              GCancellable *cancellable, GError **error);
/* A frame of which it is decided at the last moment which one it is: when a helper is there. */
typedef struct {
  gboolean ahead;     /* of any need: waits until nobody else waits for a helper */
  const char *likely; /* the file, if it is known before; or NULL */
  /* Sets what to read; PATH is the caller's. FALSE: nothing any more. Not called when no helper can
   * be had, which then is no fault of any file. */
  gboolean (*choose)(const char **path, guint *frame, gboolean *with_info, gpointer user);
  gpointer user;
} AppDecoderOrder;
/* TRUE: *FRAME, or NULL when nothing was chosen; *INFO of the same file if it was asked for. */
gboolean app_decoder_read(const AppDecoderOrder *order, DicomFrame **frame, DicomInfo **info,
                          GCancellable *cancellable, GError **error);
gboolean app_decoder_summary(const char *path, char md5[33], double *pix_min, double *pix_max,
                             GCancellable *cancellable, GError **error);
char *app_decoder_report_text(const char *path, GError **error);
GBytes *app_decoder_pdf(const char *path, GError **error);
/* Of DicomTag *. */
GPtrArray *app_decoder_tags(const char *path, GCancellable *cancellable, GError **error);
/* dicom_walk(), then every header through all helpers at once. PROGRESS, or NULL, is called some
 * twenty times a second, with TOTAL 0 as long as files are being found; FALSE from it ends the scan
 * as CANCELLABLE does, with G_IO_ERROR_CANCELLED. */
DicomScan *app_decoder_scan(const char *const *paths, DicomScanProgress progress, gpointer user,
                            GCancellable *cancellable, GError **error);
/* What the sandbox of a helper denies, tried out. */
gboolean app_decoder_sandbox(DicomSandbox *sandbox, GError **error);

G_END_DECLS
#endif
