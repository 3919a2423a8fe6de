/* source.h - bytes of a file, by offset. Reads with pread() into a small buffer and never maps, so
 * that a file that shrinks while it is read is an error and not a signal. */
#ifndef HILUM_DICOM_SOURCE_H
#define HILUM_DICOM_SOURCE_H

#include <glib.h>
#include <stdio.h>

typedef struct {
  int fd; /* -1 for memory */
  guint64 size;
  guint8 *memory; /* owned, NULL for a file */
  guint64 start;  /* file offset of buffer */
  gsize have;
  guint8 buffer[16384]; /* holds most headers whole */
} DicomSource;

DicomSource *dicom_source_open(const char *path, GError **error);
/* Takes FD, also when it fails; NAME is for messages. */
DicomSource *dicom_source_open_fd(int fd, const char *name, GError **error);
/* Takes BYTES (from g_malloc). */
DicomSource *dicom_source_memory(guint8 *bytes, gsize size);
void dicom_source_free(DicomSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomSource, dicom_source_free)

/* N bytes (at most 1024) at OFFSET, borrowed until the next call; NULL past the end. */
const guint8 *dicom_source_peek(DicomSource *source, guint64 offset, gsize n);
/* Reads exactly N bytes; FALSE past the end or when reading fails. Leaves the buffer as it is. */
gboolean dicom_source_read(DicomSource *source, guint64 offset, void *out, gsize n);
/* The bytes from the beginning on, to be read in order and closed; NULL when there is no memory. */
FILE *dicom_source_stream(DicomSource *source);

#endif
