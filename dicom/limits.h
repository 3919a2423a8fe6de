/* limits.h - what a file may ask for before memory is taken, each with its reason. */
#ifndef HILUM_DICOM_LIMITS_H
#define HILUM_DICOM_LIMITS_H

/* Sequences inside each other. Structured reports in the wild nest about a dozen levels deep; what
 * walks the tree of a report may rely on this. */
#define DICOM_MAX_DEPTH 64
/* Elements, items and fragments of one object, some 40 bytes of memory each. Enhanced objects of
 * thousands of frames stay below this. */
#define DICOM_MAX_ELEMENTS 2000000
/* One decoded frame. A 16384 x 16384 slide tile in 16 bits; mammograms need 30 MB. */
#define DICOM_MAX_FRAME_BYTES ((guint64)512 << 20)
/* Frames of one object: an hour of fluoroscopy at 30 frames per second. */
#define DICOM_MAX_FRAMES 108000
/* A deflated data set after inflation; deflate can grow a thousandfold. */
#define DICOM_MAX_INFLATED ((guint64)256 << 20)
/* Bytes of one text. Reports in one UT element reach some 100 kB; PatientName has 64 characters. */
#define DICOM_MAX_TEXT (1 << 20)
/* A structured report as text. Radiation dose reports of long interventions reach some 500 kB. */
#define DICOM_MAX_REPORT ((gsize)4 << 20)
/* Different items of one report that others refer to; real reports have a handful. */
#define DICOM_MAX_REFERENCES 10000
/* An encapsulated PDF: what a decoding process may answer in one piece (packet.h). Scanned
 * documents reach some 50 MB. */
#define DICOM_MAX_PDF ((gsize)256 << 20)
/* Entries of one lookup table (PS3.3 C.11.1.1.1: 0 stands for 65536). */
#define DICOM_MAX_LUT_WORDS 65536
/* Width and height of a JPEG or PNG; libjpeg's own limit is near. */
#define DICOM_MAX_SIDE 65500
/* Folders below the one that is scanned, and files in one scan. */
#define DICOM_MAX_FOLDER_DEPTH 32
#define DICOM_MAX_SCAN_FILES 200000
/* Window pairs, LUT items and the like that are kept from one object. */
#define DICOM_MAX_WINDOWS 64
/* RLE cannot grow more than this (PS3.5 G.3.1: two bytes give at most 128). */
#define DICOM_MAX_RLE_RATIO 64
/* What one byte of a code stream can at most stand for: a lossy JPEG spends a bit or more on each
 * block of 64 pixels (T.81 F.1.2, G.1.2), a lossless one on each sample (H.1.2), and deflate
 * reaches 1032 bytes a byte. A file that claims more lies, and no memory is taken for it. */
#define DICOM_MAX_JPEG_PIXELS_PER_BYTE 512
#define DICOM_MAX_LOSSLESS_SAMPLES_PER_BYTE 8
#define DICOM_MAX_DEFLATE_RATIO 1032
/* Samples of one JPEG 2000 frame. A constant picture of any size takes some hundred bytes, so a
 * ratio says nothing; OpenJPEG works with four bytes a sample beside ours, and 100 million (a
 * mammogram has 30) keep it below a gigabyte. libjxl works with three floats a sample. */
#define DICOM_MAX_J2K_SAMPLES ((guint64)100000000)
#define DICOM_MAX_JXL_SAMPLES ((guint64)50000000)
/* Tiles of one JPEG 2000 frame: OpenJPEG keeps 9 KB for each from the header on. */
#define DICOM_MAX_J2K_TILES 4096

/* Elements that are shown of one file, and characters of a value. An enhanced object of a thousand
 * frames has some 50 000. */
#define DICOM_MAX_TAGS 200000
#define DICOM_MAX_TAG_CHARS 256

/* Overlay planes of one group, in words: a bit for each pixel of 4096 frames of 512 x 512. */
#define DICOM_MAX_OVERLAY_WORDS ((gsize)64 << 20)

/* A presentation state: points of all graphics together (an outline around each of a lung's vessels
 * has some thousands), pixels of strokes, texts, and stretches of pixels that shutters and strokes
 * cover. Rows times corners of a polygonal shutter are what filling it costs. */
#define DICOM_MAX_GRAPHIC_POINTS 262144
#define DICOM_MAX_STROKE_PIXELS ((guint64)32 << 20)
#define DICOM_MAX_GRAPHIC_TEXTS 4096
#define DICOM_MAX_MARKS 1048576
#define DICOM_MAX_COORDINATE 1e9
#define DICOM_MAX_SHUTTER_WORK ((guint64)64 << 20)

#endif
