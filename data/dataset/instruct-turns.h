/* instruct-turns.h - a teacher's reply as turns. Private to data. */
#ifndef HILUM_DATA_DATASET_INSTRUCT_TURNS_H
#define HILUM_DATA_DATASET_INSTRUCT_TURNS_H

#include "instruct.h"

#define DATA_IMAGE_MARK "<image>"

GArray *data_turns_new(void);
/* QUESTION and ANSWER are taken; either may be NULL. */
void data_turns_add(GArray *turns, char *question, char *answer, DataTurnFate fate);

/* TEXT (N bytes) without white space at its ends: Unicode's, as Python's str.strip(). g_free(). */
char *data_text_strip(const char *text, gsize n);
/* As Python's str.lower(), whatever the locale. g_free(). */
char *data_text_lower(const char *text);

/* LLaVA-Med's steps (instruct-compatible.c). No turn at all: the array is empty. */
GArray *data_turns_compatible_split(const char *reply);
/* "<image>" into the first turn that is whole. */
void data_turns_place_mark(GArray *turns, gboolean image_first);
void data_turns_compatible_clean(GArray *turns);

/* Ours (instruct-split.c, instruct-strict.c). */
GArray *data_turns_split(const char *reply);
/* The whole reply answers QUESTION. */
GArray *data_turns_whole(const char *question, const char *reply);
/* OWN_QUESTION: questions are not the teacher's. */
void data_turns_strict_clean(GArray *turns, gboolean is_cut, gboolean own_question);

/* LLaVA-Med's lists (instruct-phrases.c); each ends with NULL. */
extern const char *const data_phrases_refusal[];
extern const char *const data_phrases_prefix[];
extern const char *const data_phrases_inner[];
extern const char *const data_phrases_left[];

#endif
