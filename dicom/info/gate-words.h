/* gate-words.h - words of a header that speak of animals. Private to the room. */
#ifndef HILUM_DICOM_GATE_WORDS_H
#define HILUM_DICOM_GATE_WORDS_H

/* The first word of TEXT, whole and in any case, that speaks of an animal as a patient: "CANINE",
 * "VETERINARY" ...; NULL when there is none. Static, never TEXT's own bytes, so that it can be
 * shown. "CAT" is not among them, for the sake of CAT scans, nor "LAMB", "WOLF" and other people's
 * names. */
const char *dicom_gate_animal(const char *text);

#endif
