/* limits.h - what the model room refuses, and why. Every count that a file gives is held against
 * the file's own size first and against these then. */
#ifndef HILUM_MODEL_BASE_LIMITS_H
#define HILUM_MODEL_BASE_LIMITS_H

#define MODEL_MAX_TENSORS 65536u   /* a 70B checkpoint has about 720 */
#define MODEL_MAX_NAME 256u        /* bytes of a tensor name or metadata key */
#define MODEL_MAX_LAYERS 256u      /* decoder layers or vision blocks */
#define MODEL_MAX_HIDDEN 65536u    /* width of any row */
#define MODEL_MAX_VOCAB 1048576u   /* pieces */
#define MODEL_MAX_CONTEXT 1048576u /* positions */
#define MODEL_MAX_JSON_DEPTH 64u   /* nesting of a config */
#define MODEL_MAX_JSON_BYTES (64u << 20)
#define MODEL_MAX_IMAGE_SIDE 4096u    /* side of the tower's square */
#define MODEL_MAX_PATCHES 65536u      /* of the tower's square; attention is quadratic in them */
#define MODEL_MAX_PICTURE_SIDE 65535u /* side of a picture that is asked about */
#define MODEL_MAX_THREADS 256u
#define MODEL_MAX_TEXT_BYTES (8u << 20) /* one text to tokenize, 100 bytes of work for each */
#define MODEL_MAX_PIECE_BYTES 256u      /* of a vocabulary; SentencePiece trains 16 characters */

#endif
