/* dataset-vr.c - how values are written whose file does not say so. */
#include "dataset-tree.h"

/* In implicit VR, and for what is marked UN, nothing in the file says how a value is written. These
 * are the attributes that this program may read and that are neither text of single lines nor
 * sequences (PS3.6 clause 6), in the order of their tags. Pixel values, which are US or SS, are
 * read as US. */
static const struct {
  guint32 tag;
  char vr[3];
} table[] = {
    {0x00041200, "UL"}, /* OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity */
    {0x00041202, "UL"}, /* OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity */
    {0x00041212, "US"}, /* FileSetConsistencyFlag */
    {0x00041400, "UL"}, /* OffsetOfTheNextDirectoryRecord */
    {0x00041410, "US"}, /* RecordInUseFlag */
    {0x00041420, "UL"}, /* OffsetOfReferencedLowerLevelDirectoryEntity */
    {0x00080081, "ST"}, /* InstitutionAddress */
    {0x00080090, "PN"}, /* ReferringPhysicianName */
    {0x0008009c, "PN"}, /* ConsultingPhysicianName */
    {0x00081048, "PN"}, /* PhysiciansOfRecord */
    {0x00081050, "PN"}, /* PerformingPhysicianName */
    {0x00081060, "PN"}, /* NameOfPhysiciansReadingStudy */
    {0x00081070, "PN"}, /* OperatorsName */
    {0x00081161, "UL"}, /* SimpleFrameList */
    {0x00082111, "ST"}, /* DerivationDescription */
    {0x00100010, "PN"}, /* PatientName */
    {0x00101001, "PN"}, /* OtherPatientNames */
    {0x00101005, "PN"}, /* PatientBirthName */
    {0x00101060, "PN"}, /* PatientMotherBirthName */
    {0x001021b0, "LT"}, /* AdditionalPatientHistory */
    {0x00102297, "PN"}, /* ResponsiblePerson */
    {0x00104000, "LT"}, /* PatientComments */
    {0x00142006, "PN"}, /* EvaluatorName */
    {0x00181622, "US"}, /* ShutterPresentationValue */
    {0x00181624, "US"}, /* ShutterPresentationColorCIELabValue */
    {0x00184000, "LT"}, /* AcquisitionComments */
    {0x00186012, "US"}, /* RegionSpatialFormat */
    {0x00186014, "US"}, /* RegionDataType */
    {0x00186016, "UL"}, /* RegionFlags */
    {0x00186018, "UL"}, /* RegionLocationMinX0 */
    {0x0018601a, "UL"}, /* RegionLocationMinY0 */
    {0x0018601c, "UL"}, /* RegionLocationMaxX1 */
    {0x0018601e, "UL"}, /* RegionLocationMaxY1 */
    {0x00186020, "SL"}, /* ReferencePixelX0 */
    {0x00186022, "SL"}, /* ReferencePixelY0 */
    {0x00186024, "US"}, /* PhysicalUnitsXDirection */
    {0x00186026, "US"}, /* PhysicalUnitsYDirection */
    {0x00186028, "FD"}, /* ReferencePixelPhysicalValueX */
    {0x0018602a, "FD"}, /* ReferencePixelPhysicalValueY */
    {0x0018602c, "FD"}, /* PhysicalDeltaX */
    {0x0018602e, "FD"}, /* PhysicalDeltaY */
    {0x00189082, "FD"}, /* EffectiveEchoTime */
    {0x00189087, "FD"}, /* DiffusionBValue */
    {0x00189089, "FD"}, /* DiffusionGradientOrientation */
    {0x00189220, "FD"}, /* FrameAcquisitionDuration */
    {0x00204000, "LT"}, /* ImageComments */
    {0x00209057, "UL"}, /* InStackPositionNumber */
    {0x00209128, "UL"}, /* TemporalPositionIndex */
    {0x00209153, "FD"}, /* NominalCardiacTriggerDelayTime */
    {0x00209156, "US"}, /* FrameAcquisitionNumber */
    {0x00209157, "UL"}, /* DimensionIndexValues */
    {0x00209158, "LT"}, /* FrameComments */
    {0x0020930d, "FD"}, /* TemporalPositionTimeOffset */
    {0x00280002, "US"}, /* SamplesPerPixel */
    {0x00280006, "US"}, /* PlanarConfiguration */
    {0x00280010, "US"}, /* Rows */
    {0x00280011, "US"}, /* Columns */
    {0x00280100, "US"}, /* BitsAllocated */
    {0x00280101, "US"}, /* BitsStored */
    {0x00280102, "US"}, /* HighBit */
    {0x00280103, "US"}, /* PixelRepresentation */
    {0x00280106, "US"}, /* SmallestImagePixelValue */
    {0x00280107, "US"}, /* LargestImagePixelValue */
    {0x00280120, "US"}, /* PixelPaddingValue */
    {0x00280121, "US"}, /* PixelPaddingRangeLimit */
    {0x00281101, "US"}, /* RedPaletteColorLookupTableDescriptor */
    {0x00281102, "US"}, /* GreenPaletteColorLookupTableDescriptor */
    {0x00281103, "US"}, /* BluePaletteColorLookupTableDescriptor */
    {0x00283002, "US"}, /* LUTDescriptor */
    {0x00321032, "PN"}, /* RequestingPhysician */
    {0x00324000, "LT"}, /* StudyComments */
    {0x003a0005, "US"}, /* NumberOfWaveformChannels */
    {0x003a0010, "UL"}, /* NumberOfWaveformSamples */
    {0x00400006, "PN"}, /* ScheduledPerformingPhysicianName */
    {0x00404037, "PN"}, /* HumanPerformerName */
    {0x00409211, "US"}, /* RealWorldValueLastValueMapped */
    {0x00409212, "FD"}, /* RealWorldValueLUTData */
    {0x00409216, "US"}, /* RealWorldValueFirstValueMapped */
    {0x00409224, "FD"}, /* RealWorldValueIntercept */
    {0x00409225, "FD"}, /* RealWorldValueSlope */
    {0x0040a075, "PN"}, /* VerifyingObserverName */
    {0x0040a0b0, "US"}, /* ReferencedWaveformChannels */
    {0x0040a123, "PN"}, /* PersonName */
    {0x0040a132, "UL"}, /* ReferencedSamplePositions */
    {0x0040a136, "US"}, /* ReferencedFrameNumbers */
    {0x0040a160, "UT"}, /* TextValue */
    {0x0040a161, "FD"}, /* FloatingPointValue */
    {0x0040a162, "SL"}, /* RationalNumeratorValue */
    {0x0040a163, "UL"}, /* RationalDenominatorValue */
    {0x0040db73, "UL"}, /* ReferencedContentItemIdentifier */
    {0x00420010, "ST"}, /* DocumentTitle */
    {0x00420015, "UL"}, /* EncapsulatedDocumentLength */
    {0x00480006, "UL"}, /* TotalPixelMatrixColumns */
    {0x00480007, "UL"}, /* TotalPixelMatrixRows */
    {0x0048021e, "SL"}, /* ColumnPositionInTotalImagePixelMatrix */
    {0x0048021f, "SL"}, /* RowPositionInTotalImagePixelMatrix */
    {0x00620004, "US"}, /* SegmentNumber */
    {0x0062000b, "US"}, /* ReferencedSegmentNumber */
    {0x0062000c, "US"}, /* RecommendedDisplayGrayscaleValue */
    {0x0062000d, "US"}, /* RecommendedDisplayCIELabValue */
    {0x0062000e, "US"}, /* MaximumFractionalValue */
    {0x00700006, "ST"}, /* UnformattedTextValue */
    {0x00700010, "FL"}, /* BoundingBoxTopLeftHandCorner */
    {0x00700011, "FL"}, /* BoundingBoxBottomRightHandCorner */
    {0x00700014, "FL"}, /* AnchorPoint */
    {0x00700020, "US"}, /* GraphicDimensions */
    {0x00700021, "US"}, /* NumberOfGraphicPoints */
    {0x00700022, "FL"}, /* GraphicData */
    {0x00700042, "US"}, /* ImageRotation */
    {0x00700052, "SL"}, /* DisplayedAreaTopLeftHandCorner */
    {0x00700053, "SL"}, /* DisplayedAreaBottomRightHandCorner */
    {0x00700066, "US"}, /* GraphicLayerRecommendedDisplayGrayscaleValue */
    {0x00700084, "PN"}, /* ContentCreatorName */
    {0x00700103, "FL"}, /* PresentationPixelMagnificationRatio */
    {0x00700401, "US"}, /* GraphicLayerRecommendedDisplayCIELabValue */
    {0x00720330, "FD"}, /* CineRelativeToRealTime */
    {0x300e0008, "PN"}, /* ReviewerName */
    {0x54001004, "US"}, /* WaveformBitsAllocated */
    {0x60000010, "US"}, /* OverlayRows */
    {0x60000011, "US"}, /* OverlayColumns */
    {0x60000050, "SS"}, /* OverlayOrigin */
    {0x60000051, "US"}, /* ImageFrameOrigin */
    {0x60000100, "US"}, /* OverlayBitsAllocated */
    {0x60000102, "US"}, /* OverlayBitPosition */
};

const char *
dicom_vr_of_tag(guint32 tag)
{
  guint low = 0, high = G_N_ELEMENTS(table);

  if ((tag & 0xff010000) == 0x60000000) {
    tag &= 0xff00ffff; /* repeating groups: overlays */
  }
  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (table[middle].tag < tag) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < G_N_ELEMENTS(table) && table[low].tag == tag ? table[low].vr : "";
}
