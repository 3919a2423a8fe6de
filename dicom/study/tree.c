/* tree.c - files of a scan become patients, studies and series. */
#include "collect.h"

#include <string.h>

typedef struct {
  GPtrArray *records; /* of DicomRecord *, the images of one series */
  guint rank;         /* as first seen */
} Group;

typedef struct {
  DicomStudy *study;
  GPtrArray *groups; /* of Group * */
} StudyNode;

typedef struct {
  DicomPatient *patient;
  GPtrArray *studies; /* of StudyNode * */
} PatientNode;

typedef struct {
  DicomScan *scan;
  GPtrArray *patients; /* of PatientNode * */
  GHashTable *nodes;   /* key -> PatientNode, StudyNode or Group */
  GHashTable *owners;  /* StudyInstanceUID -> a DicomRecord that says whose it is */
} Tree;

/* ---- ends of things ------------------------------------------------------------------------- */

void
dicom_document_free(DicomDocument *document)
{
  if (document) {
    g_free(document->path);
    g_free(document->title);
    g_free(document->content_name);
    g_free(document->study_instance_uid);
    g_free(document->series_instance_uid);
    g_free(document->patient_id);
    g_free(document->sop_class);
    g_free(document->creator);
    g_free(document->date);
    g_ptr_array_unref(document->referenced_instances);
    g_ptr_array_unref(document->referenced_frames);
    g_free(document);
  }
}

static void
study_free(gpointer data)
{
  DicomStudy *study = data;

  g_free(study->study_instance_uid);
  g_free(study->date);
  g_free(study->description);
  g_free(study->accession_number);
  g_ptr_array_unref(study->series);
  g_ptr_array_unref(study->documents);
  g_free(study);
}

static void
patient_free(gpointer data)
{
  DicomPatient *patient = data;

  g_free(patient->patient_id);
  g_free(patient->name);
  g_free(patient->birth_date);
  g_free(patient->sex);
  g_ptr_array_unref(patient->studies);
  g_free(patient);
}

void
dicom_scan_free(DicomScan *scan)
{
  if (scan) {
    g_ptr_array_unref(scan->patients);
    g_ptr_array_unref(scan->series);
    g_ptr_array_unref(scan->documents);
    g_ptr_array_unref(scan->refused);
    g_ptr_array_unref(scan->refused_paths);
    g_ptr_array_unref(scan->refused_kinds);
    g_free(scan);
  }
}

static void
group_free(gpointer data)
{
  Group *group = data;

  g_ptr_array_unref(group->records);
  g_free(group);
}

static void
study_node_free(gpointer data)
{
  StudyNode *node = data;

  g_ptr_array_unref(node->groups);
  g_free(node);
}

static void
patient_node_free(gpointer data)
{
  PatientNode *node = data;

  g_ptr_array_unref(node->studies);
  g_free(node);
}

/* ---- whose is it? --------------------------------------------------------------------------- */

/* A name without what systems add or leave out: "Doe^John", "DOE^JOHN^^^" are one. */
static char *
plain_name(const char *name)
{
  char *plain = g_ascii_strup(name, -1);
  gsize n = strlen(plain);

  while (n > 0 && (plain[n - 1] == '^' || plain[n - 1] == ' ')) {
    plain[--n] = '\0';
  }
  return plain;
}

static gboolean
is_identified(const DicomRecord *record)
{
  return *record->patient_id && *record->patient_name;
}

/* What RECORD says of its patient does not speak against OWNER. */
static gboolean
may_belong_to(const DicomRecord *record, const DicomRecord *owner)
{
  g_autofree char *name = plain_name(record->patient_name),
                  *other = plain_name(owner->patient_name);

  return (!*record->patient_id || strcmp(record->patient_id, owner->patient_id) == 0) &&
         (!*name || strcmp(name, other) == 0);
}

/* One PatientID with two names may be two persons, as may two studies that name nobody, or name
 * "Anonymous" without an id: it is safer to show one patient as two than two as one. An object that
 * leaves out the id or the name belongs to the patient of its study. */
static char *
patient_key(const Tree *tree, const DicomRecord *record)
{
  const DicomRecord *owner = g_hash_table_lookup(tree->owners, record->study_instance_uid);
  const DicomRecord *who =
      !is_identified(record) && owner && may_belong_to(record, owner) ? owner : record;
  g_autofree char *name = plain_name(who->patient_name);

  if (*who->patient_id) {
    return g_strdup_printf("id\x1f%s\x1f%s", who->patient_id, name);
  }
  if (*name && *who->patient_birth_date) {
    return g_strdup_printf("name\x1f%s\x1f%s", name, who->patient_birth_date);
  }
  return g_strdup_printf("study\x1f%s\x1f%s", name, who->is_dicom ? who->study_instance_uid : "");
}

static void
find_owners(Tree *tree, GPtrArray *records)
{
  for (guint i = 0; i < records->len; i++) {
    DicomRecord *record = records->pdata[i];
    const char *uid = record->study_instance_uid;

    if (*uid && is_identified(record) && !g_hash_table_contains(tree->owners, uid)) {
      g_hash_table_insert(tree->owners, (gpointer)uid, record);
    }
  }
}

/* ---- growing -------------------------------------------------------------------------------- */

/* The first one who says anything is believed. */
static void
fill(char **slot, const char *text)
{
  if (!*slot || !**slot) {
    g_free(*slot);
    *slot = g_strdup(text);
  }
}

static PatientNode *
find_patient(Tree *tree, const DicomRecord *record, const char *key)
{
  PatientNode *node = g_hash_table_lookup(tree->nodes, key);
  DicomPatient *patient;

  if (!node) {
    node = g_new0(PatientNode, 1);
    node->patient = g_new0(DicomPatient, 1);
    node->patient->studies = g_ptr_array_new_with_free_func(study_free);
    node->studies = g_ptr_array_new_with_free_func(study_node_free);
    g_ptr_array_add(tree->scan->patients, node->patient);
    g_ptr_array_add(tree->patients, node);
    g_hash_table_insert(tree->nodes, g_strdup(key), node);
  }
  patient = node->patient;
  fill(&patient->patient_id, record->patient_id);
  fill(&patient->name, record->patient_name);
  fill(&patient->birth_date, record->patient_birth_date);
  fill(&patient->sex, record->patient_sex);
  return node;
}

static StudyNode *
find_study(Tree *tree, PatientNode *patient, const DicomRecord *record, const char *key)
{
  StudyNode *node = g_hash_table_lookup(tree->nodes, key);
  DicomStudy *study;

  if (!node) {
    node = g_new0(StudyNode, 1);
    node->study = g_new0(DicomStudy, 1);
    node->study->study_instance_uid = g_strdup(record->study_instance_uid);
    node->study->series = g_ptr_array_new();
    node->study->documents = g_ptr_array_new();
    node->groups = g_ptr_array_new_with_free_func(group_free);
    g_ptr_array_add(patient->patient->studies, node->study);
    g_ptr_array_add(patient->studies, node);
    g_hash_table_insert(tree->nodes, g_strdup(key), node);
  }
  study = node->study;
  fill(&study->date, record->study_date);
  fill(&study->description, record->study_description);
  fill(&study->accession_number, record->accession_number);
  return node;
}

/* Pictures, and objects without a series, stand alone. */
static void
add_image(Tree *tree, StudyNode *study, DicomRecord *record, const char *study_key)
{
  gboolean alone = !*record->series_instance_uid;
  g_autofree char *key = g_strdup_printf("%s\x1f%s\x1f%s", study_key, alone ? "file" : "series",
                                         alone ? record->path : record->series_instance_uid);
  Group *group = g_hash_table_lookup(tree->nodes, key);

  if (!group) {
    group = g_new0(Group, 1);
    group->records = g_ptr_array_new();
    group->rank = study->groups->len;
    g_ptr_array_add(study->groups, group);
    g_hash_table_insert(tree->nodes, g_steal_pointer(&key), group);
  }
  g_ptr_array_add(group->records, record);
}

static void
add_record(Tree *tree, DicomRecord *record)
{
  if (record->content == DICOM_CONTENT_DIRECTORY) {
    g_ptr_array_add(tree->scan->documents, g_steal_pointer(&record->document));
    return; /* a DICOMDIR is nobody's */
  }
  g_autofree char *patient_name = patient_key(tree, record);
  g_autofree char *study_name =
      g_strdup_printf("%s\x1fstudy\x1f%s", patient_name, record->study_instance_uid);
  PatientNode *patient = find_patient(tree, record, patient_name);
  StudyNode *study = find_study(tree, patient, record, study_name);

  if (record->document) {
    g_ptr_array_add(study->study->documents, record->document);
    g_ptr_array_add(tree->scan->documents, g_steal_pointer(&record->document));
  } else {
    add_image(tree, study, record, study_name);
    tree->scan->n_images++;
  }
}

/* ---- order -------------------------------------------------------------------------------- */

/* By date, those without one at the end, then by UID. */
static gint
compare_studies(const DicomStudy *a, const DicomStudy *b)
{
  gint order = (*a->date == '\0') - (*b->date == '\0');

  order = order != 0 ? order : strcmp(a->date, b->date);
  return order != 0 ? order : strcmp(a->study_instance_uid, b->study_instance_uid);
}

static gint
compare_study_pointers(gconstpointer a, gconstpointer b)
{
  return compare_studies(*(DicomStudy *const *)a, *(DicomStudy *const *)b);
}

static gint
compare_study_nodes(gconstpointer a, gconstpointer b)
{
  return compare_studies((*(StudyNode *const *)a)->study, (*(StudyNode *const *)b)->study);
}

static gint
compare_groups(gconstpointer a, gconstpointer b)
{
  const Group *x = *(Group *const *)a, *y = *(Group *const *)b;
  gint m = ((DicomRecord *)x->records->pdata[0])->series_number;
  gint n = ((DicomRecord *)y->records->pdata[0])->series_number;

  return m != n ? (m < n ? -1 : 1) : x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void
finish_study(DicomScan *scan, StudyNode *node)
{
  g_ptr_array_sort(node->groups, compare_groups);
  for (guint i = 0; i < node->groups->len; i++) {
    Group *group = node->groups->pdata[i];
    g_autoptr(GPtrArray) stacks = dicom_series_make(group->records);

    for (guint s = 0; s < stacks->len; s++) {
      g_ptr_array_add(scan->series, stacks->pdata[s]);
      g_ptr_array_add(node->study->series, stacks->pdata[s]);
    }
  }
}

void
dicom_tree_grow(DicomScan *scan, GPtrArray *records)
{
  g_autoptr(GPtrArray) patients = g_ptr_array_new_with_free_func(patient_node_free);
  g_autoptr(GHashTable) nodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GHashTable) owners = g_hash_table_new(g_str_hash, g_str_equal);
  Tree tree = {scan, patients, nodes, owners};

  scan->series = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_series_free);
  scan->documents = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_document_free);
  scan->patients = g_ptr_array_new_with_free_func(patient_free);
  find_owners(&tree, records);
  for (guint i = 0; i < records->len; i++) {
    add_record(&tree, records->pdata[i]);
  }
  for (guint p = 0; p < patients->len; p++) {
    PatientNode *patient = patients->pdata[p];

    g_ptr_array_sort(patient->patient->studies, compare_study_pointers);
    g_ptr_array_sort(patient->studies, compare_study_nodes);
    for (guint s = 0; s < patient->studies->len; s++) {
      finish_study(scan, patient->studies->pdata[s]);
    }
  }
}
