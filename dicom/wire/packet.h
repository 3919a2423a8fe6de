/* packet.h - one message with descriptors over a socket of packets. Private to the room.
 *
 * SOCK_SEQPACKET and not a stream: a message is received whole with its own descriptors or not at
 * all, so that a helper that stops in the middle of one can never lend its rest to the next. What
 * is larger than a packet travels in a memory file: a sealed one, which also spares a copy, or, for
 * pixels that are copied anyway, one that the helper writes again and again.
 */
#ifndef HILUM_DICOM_PACKET_H
#define HILUM_DICOM_PACKET_H

#include <glib.h>
#include <sys/uio.h>

#define DICOM_PACKET_MAGIC 0x4d4c4948u /* "HILM" */
#define DICOM_PACKET_VERSION 3
/* Below the kernel's default for a socket's buffer, with room for several under way. */
#define DICOM_PACKET_MAX 16384
/* PATH_MAX, and so the longest name of a file. */
#define DICOM_PACKET_MAX_NAME 4096
#define DICOM_PACKET_MAX_FDS 2
/* Headers with a plane for each of DICOM_MAX_FRAMES frames, or a whole PDF. */
#define DICOM_PACKET_MAX_BODY ((guint64)256 << 20)
#define DICOM_PACKET_MAX_MESSAGE 4096
/* Pixels up to this travel in a memory file that is written again: its pages are there already, and
 * getting fresh ones from the kernel takes longer than the copy (a CT slice three times as long, a
 * radiograph of 10 MB half as long again). Each helper keeps as much as its last frames needed. */
#define DICOM_PACKET_MAX_COPIED ((gsize)16 << 20)

typedef enum {
  DICOM_OP_HELLO, /* the helper's first word; nobody asks for it */
  DICOM_OP_INFO,
  DICOM_OP_FRAME,
  DICOM_OP_SUMMARY,
  DICOM_OP_REPORT,
  DICOM_OP_PDF,
  DICOM_OP_TAGS,
  DICOM_OP_SANDBOX,
  DICOM_OP_LAST = DICOM_OP_SANDBOX,
} DicomOp;

/* Followed by the names, without ends. Descriptors: the file, then the presentation state. */
typedef struct {
  guint32 magic, version, op, id;
  guint32 frame, timeout_ms;
  guint32 name_bytes, presentation_bytes;
} DicomRequest;

#define DICOM_STATUS_OK 0
#define DICOM_STATUS_ALIVE 1 /* one frame of many is done; the answer comes later */
#define DICOM_STATUS_ERROR 2 /* and up: a DicomError; the body is its message */

enum {
  DICOM_SHARE_NONE,   /* in the packet */
  DICOM_SHARE_SEALED, /* in a memory file that nobody can change */
  DICOM_SHARE_COPY,   /* at the beginning of one that is written again: to be copied before the next
                       * question is asked. Pixels only: of these any values are as good as others */
};

/* Followed by the body and the pixels, each unless it is shared: then it is a descriptor. */
typedef struct {
  guint32 magic, version, op, id;
  guint32 status;
  guint32 body_shared, pixels_shared, zero; /* of the above; ZERO is what it says */
  guint64 body_bytes, pixel_bytes;
} DicomAnswer;

typedef struct {
  guint32 filtered;                   /* the system calls are filtered */
  guint32 open, write, connect, fork; /* denied; of the answer to DICOM_OP_SANDBOX */
  char note[108];                     /* why there is no filter; printable ASCII */
} DicomHello;

typedef struct {
  char md5[32]; /* hex digits, no end */
  double pix_min, pix_max;
} DicomSummary;

typedef struct {
  union {
    DicomRequest request;
    DicomAnswer answer;
    guint8 bytes[DICOM_PACKET_MAX];
  } u;
  gsize n;
  int fds[DICOM_PACKET_MAX_FDS];
  guint n_fds;
} DicomPacket;

typedef enum {
  DICOM_PACKET_OK,
  DICOM_PACKET_NONE,
  DICOM_PACKET_CLOSED,
  DICOM_PACKET_BROKEN
} DicomPacketResult;

void dicom_packet_clear(DicomPacket *packet); /* closes its descriptors */
/* PARTS in one packet; FDS stay the caller's. NONE: not now, the
 * socket is full (never without DONT_WAIT). */
DicomPacketResult dicom_packet_send(int socket, const struct iovec *parts, guint n_parts,
                                    const int *fds, guint n_fds, gboolean dont_wait);
/* Fills PACKET, whose descriptors become the caller's. BROKEN: too long or too many descriptors. */
DicomPacketResult dicom_packet_receive(int socket, DicomPacket *packet, gboolean dont_wait);

#endif
