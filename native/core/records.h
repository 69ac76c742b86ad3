// The records of the operations, by name.
// Written by `npm run build:records` from src/kernels/operations. Do not edit.
#pragma once
#include "args.h"

namespace latentkit {

constexpr int MAX_SLICES = 8;

struct WeightRecord {
  const char* address;
  Dtype dtype;
  i64 rows;
  i64 cols;
  const float* scales;
  i64 blockRows;
  i64 blockCols;
  INLINE WeightRecord() {}
  INLINE explicit WeightRecord(Args& args)
      : address(args.pointer<const char>()),
        dtype(args.dtype()),
        rows(args.count()),
        cols(args.count()),
        scales(args.pointer<const float>()),
        blockRows(args.count()),
        blockCols(args.count()) {}
};

struct ExpertsRecord {
  bool packed;
  const double* table;
  i64 experts;
  i64 rows;
  i64 cols;
  i64 blockRows;
  i64 blockCols;
  INLINE ExpertsRecord() {}
  INLINE explicit ExpertsRecord(Args& args)
      : packed(args.flag()),
        table(args.pointer<const double>()),
        experts(args.count()),
        rows(args.count()),
        cols(args.count()),
        blockRows(args.count()),
        blockCols(args.count()) {}
};

struct SequencesRecord {
  const int32_t* rows;
  i64 count;
  const int32_t* tables;
  const uint64_t* directory;
  INLINE SequencesRecord() {}
  INLINE explicit SequencesRecord(Args& args)
      : rows(args.pointer<const int32_t>()),
        count(args.count()),
        tables(args.pointer<const int32_t>()),
        directory(args.pointer<const uint64_t>()) {}
};

struct SliceRecord {
  i64 blockTokens;
  i64 base;
  i64 rowBytes;
  Dtype dtype;
  i64 heads;
  i64 width;
  i64 headStride;
  INLINE SliceRecord() {}
  INLINE explicit SliceRecord(Args& args)
      : blockTokens(args.count()),
        base(args.count()),
        rowBytes(args.count()),
        dtype(args.dtype()),
        heads(args.count()),
        width(args.count()),
        headStride(args.count()) {}
};

struct AxpbyRecord {
  float a;
  float b;
  bool two;
  Extent extent;
  Strided y;
  Strided x;
  Strided z;
  INLINE explicit AxpbyRecord(Args& args)
      : a(args.real()),
        b(args.real()),
        two(args.flag()),
        extent(args),
        y(args),
        x(args),
        z(args) {}
};

struct CopyRecord {
  Dtype toType;
  Dtype fromType;
  Extent extent;
  Strided y;
  Strided x;
  INLINE explicit CopyRecord(Args& args)
      : toType(args.dtype()),
        fromType(args.dtype()),
        extent(args),
        y(args),
        x(args) {}
};

struct EmbedRecord {
  float* y;
  const int32_t* ids;
  i64 T;
  float scale;
  WeightRecord w;
  INLINE explicit EmbedRecord(Args& args)
      : y(args.pointer<float>()),
        ids(args.pointer<const int32_t>()),
        T(args.count()),
        scale(args.real()),
        w(args) {}
};

struct FillRecord {
  float* y;
  i64 n;
  float value;
  INLINE explicit FillRecord(Args& args)
      : y(args.pointer<float>()),
        n(args.count()),
        value(args.real()) {}
};

struct GatherRowsRecord {
  float* y;
  const float* x;
  const int32_t* index;
  i64 T;
  i64 cols;
  INLINE explicit GatherRowsRecord(Args& args)
      : y(args.pointer<float>()),
        x(args.pointer<const float>()),
        index(args.pointer<const int32_t>()),
        T(args.count()),
        cols(args.count()) {}
};

struct ScatterRowsRecord {
  float* y;
  const float* x;
  const int32_t* index;
  i64 T;
  i64 cols;
  float scale;
  INLINE explicit ScatterRowsRecord(Args& args)
      : y(args.pointer<float>()),
        x(args.pointer<const float>()),
        index(args.pointer<const int32_t>()),
        T(args.count()),
        cols(args.count()),
        scale(args.real()) {}
};

struct SumRowsRecord {
  float* y;
  const float* x;
  i64 xT;
  i64 T;
  i64 cols;
  float scale;
  INLINE explicit SumRowsRecord(Args& args)
      : y(args.pointer<float>()),
        x(args.pointer<const float>()),
        xT(args.count()),
        T(args.count()),
        cols(args.count()),
        scale(args.real()) {}
};

struct LayerNormRecord {
  double eps;
  const float* weight;
  const float* bias;
  Extent extent;
  Strided y;
  Strided x;
  INLINE explicit LayerNormRecord(Args& args)
      : eps(args.real64()),
        weight(args.pointer<const float>()),
        bias(args.pointer<const float>()),
        extent(args),
        y(args),
        x(args) {}
};

struct NormBackwardRecord {
  double eps;
  bool centred;
  const float* weight;
  float* stats;
  Extent extent;
  Strided dx;
  Strided dy;
  Strided x;
  INLINE explicit NormBackwardRecord(Args& args)
      : eps(args.real64()),
        centred(args.flag()),
        weight(args.pointer<const float>()),
        stats(args.pointer<float>()),
        extent(args),
        dx(args),
        dy(args),
        x(args) {}
};

struct NormWeightBackwardRecord {
  float* dweight;
  float* dbias;
  const float* stats;
  Extent extent;
  Strided dy;
  Strided x;
  INLINE explicit NormWeightBackwardRecord(Args& args)
      : dweight(args.pointer<float>()),
        dbias(args.pointer<float>()),
        stats(args.pointer<const float>()),
        extent(args),
        dy(args),
        x(args) {}
};

struct RmsNormRecord {
  double eps;
  const float* weight;
  Extent extent;
  Strided y;
  Strided x;
  INLINE explicit RmsNormRecord(Args& args)
      : eps(args.real64()),
        weight(args.pointer<const float>()),
        extent(args),
        y(args),
        x(args) {}
};

struct HeadMatmulRecord {
  float* y;
  i64 yT;
  i64 yH;
  const float* x;
  i64 xT;
  i64 xH;
  i64 T;
  i64 H;
  i64 headRows;
  i64 firstRow;
  i64 rows;
  bool transposed;
  bool exact;
  WeightRecord w;
  bool mustQuantise;
  INLINE explicit HeadMatmulRecord(Args& args)
      : y(args.pointer<float>()),
        yT(args.count()),
        yH(args.count()),
        x(args.pointer<const float>()),
        xT(args.count()),
        xH(args.count()),
        T(args.count()),
        H(args.count()),
        headRows(args.count()),
        firstRow(args.count()),
        rows(args.count()),
        transposed(args.flag()),
        exact(args.flag()),
        w(args),
        mustQuantise(args.flag()) {}
};

struct MatmulRecord {
  float* y;
  i64 yT;
  const float* x;
  i64 xT;
  i64 T;
  float scale;
  const float* bias;
  WeightRecord w;
  const float* residual;
  i64 residualT;
  bool mustQuantise;
  INLINE explicit MatmulRecord(Args& args)
      : y(args.pointer<float>()),
        yT(args.count()),
        x(args.pointer<const float>()),
        xT(args.count()),
        T(args.count()),
        scale(args.real()),
        bias(args.pointer<const float>()),
        w(args),
        residual(args.pointer<const float>()),
        residualT(args.count()),
        mustQuantise(args.flag()) {}
};

struct MatmulBackwardRecord {
  float* dx;
  i64 dxT;
  const float* dy;
  i64 dyT;
  i64 T;
  float scale;
  bool rounded;
  bool add;
  WeightRecord w;
  INLINE explicit MatmulBackwardRecord(Args& args)
      : dx(args.pointer<float>()),
        dxT(args.count()),
        dy(args.pointer<const float>()),
        dyT(args.count()),
        T(args.count()),
        scale(args.real()),
        rounded(args.flag()),
        add(args.flag()),
        w(args) {}
};

struct TrainingMatmulRecord {
  float* y;
  i64 yT;
  const float* x;
  i64 xT;
  i64 T;
  float scale;
  bool rounded;
  const float* bias;
  WeightRecord w;
  const float* residual;
  i64 residualT;
  INLINE explicit TrainingMatmulRecord(Args& args)
      : y(args.pointer<float>()),
        yT(args.count()),
        x(args.pointer<const float>()),
        xT(args.count()),
        T(args.count()),
        scale(args.real()),
        rounded(args.flag()),
        bias(args.pointer<const float>()),
        w(args),
        residual(args.pointer<const float>()),
        residualT(args.count()) {}
};

struct WeightBackwardRecord {
  float* dw;
  const float* dy;
  i64 dyT;
  const float* x;
  i64 xT;
  i64 T;
  i64 rows;
  i64 cols;
  float scale;
  bool rounded;
  INLINE explicit WeightBackwardRecord(Args& args)
      : dw(args.pointer<float>()),
        dy(args.pointer<const float>()),
        dyT(args.count()),
        x(args.pointer<const float>()),
        xT(args.count()),
        T(args.count()),
        rows(args.count()),
        cols(args.count()),
        scale(args.real()),
        rounded(args.flag()) {}
};

struct ActivateRecord {
  Activation activation;
  Extent extent;
  Strided y;
  Strided x;
  INLINE explicit ActivateRecord(Args& args)
      : activation(args.activation()),
        extent(args),
        y(args),
        x(args) {}
};

struct ActivateBackwardRecord {
  Activation activation;
  Extent extent;
  Strided dx;
  Strided dy;
  Strided x;
  INLINE explicit ActivateBackwardRecord(Args& args)
      : activation(args.activation()),
        extent(args),
        dx(args),
        dy(args),
        x(args) {}
};

struct ClampedGateRecord {
  float alpha;
  float limit;
  Extent extent;
  Strided y;
  Strided gates;
  Strided up;
  INLINE explicit ClampedGateRecord(Args& args)
      : alpha(args.real()),
        limit(args.real()),
        extent(args),
        y(args),
        gates(args),
        up(args) {}
};

struct GateRecord {
  Activation activation;
  Extent extent;
  Strided y;
  Strided gates;
  Strided up;
  INLINE explicit GateRecord(Args& args)
      : activation(args.activation()),
        extent(args),
        y(args),
        gates(args),
        up(args) {}
};

struct GateBackwardRecord {
  Activation activation;
  bool add;
  Extent extent;
  Strided dgates;
  Strided dup;
  Strided dy;
  Strided gates;
  Strided up;
  INLINE explicit GateBackwardRecord(Args& args)
      : activation(args.activation()),
        add(args.flag()),
        extent(args),
        dgates(args),
        dup(args),
        dy(args),
        gates(args),
        up(args) {}
};

struct RopeRecord {
  float* y;
  i64 yT;
  i64 yH;
  const float* x;
  i64 xT;
  i64 xH;
  const float* cosSin;
  i64 T;
  i64 H;
  i64 n;
  i64 r;
  bool interleaved;
  INLINE explicit RopeRecord(Args& args)
      : y(args.pointer<float>()),
        yT(args.count()),
        yH(args.count()),
        x(args.pointer<const float>()),
        xT(args.count()),
        xH(args.count()),
        cosSin(args.pointer<const float>()),
        T(args.count()),
        H(args.count()),
        n(args.count()),
        r(args.count()),
        interleaved(args.flag()) {}
};

struct RopeBackwardRecord {
  float* dx;
  i64 dxT;
  i64 dxH;
  const float* dy;
  i64 dyT;
  i64 dyH;
  const float* cosSin;
  i64 T;
  i64 H;
  i64 n;
  i64 r;
  bool interleaved;
  INLINE explicit RopeBackwardRecord(Args& args)
      : dx(args.pointer<float>()),
        dxT(args.count()),
        dxH(args.count()),
        dy(args.pointer<const float>()),
        dyT(args.count()),
        dyH(args.count()),
        cosSin(args.pointer<const float>()),
        T(args.count()),
        H(args.count()),
        n(args.count()),
        r(args.count()),
        interleaved(args.flag()) {}
};

struct CacheReadRecord {
  float* y;
  i64 rows;
  SliceRecord slice;
  SequencesRecord sequences;
  INLINE explicit CacheReadRecord(Args& args)
      : y(args.pointer<float>()),
        rows(args.count()),
        slice(args),
        sequences(args) {}
};

struct CacheWriteRecord {
  SliceRecord slice;
  const float* x;
  i64 xT;
  i64 xH;
  SequencesRecord sequences;
  INLINE explicit CacheWriteRecord(Args& args)
      : slice(args),
        x(args.pointer<const float>()),
        xT(args.count()),
        xH(args.count()),
        sequences(args) {}
};

struct AttentionRecord {
  bool exact;
  float* out;
  i64 outT;
  i64 outH;
  const float* q;
  i64 qT;
  i64 qH;
  i64 T;
  i64 H;
  i64 V;
  SequencesRecord sequences;
  float scale;
  i64 window;
  const float* sinkLogits;
  const float* bias;
  i64 biasWidth;
  i64 biasStart;
  float* lse;
  bool carry;
  float* scores;
  i64 scoresH;
  i64 scoresT;
  i64 scoresWidth;
  i64 scoresStart;
  const int32_t* selected;
  i64 selectedCount;
  bool gather;
  SliceRecord values;
  i64 keysCount;
  SliceRecord keys[MAX_SLICES];
  INLINE explicit AttentionRecord(Args& args)
      : exact(args.flag()),
        out(args.pointer<float>()),
        outT(args.count()),
        outH(args.count()),
        q(args.pointer<const float>()),
        qT(args.count()),
        qH(args.count()),
        T(args.count()),
        H(args.count()),
        V(args.count()),
        sequences(args),
        scale(args.real()),
        window(args.count()),
        sinkLogits(args.pointer<const float>()),
        bias(args.pointer<const float>()),
        biasWidth(args.count()),
        biasStart(args.count()),
        lse(args.pointer<float>()),
        carry(args.flag()),
        scores(args.pointer<float>()),
        scoresH(args.count()),
        scoresT(args.count()),
        scoresWidth(args.count()),
        scoresStart(args.count()),
        selected(args.pointer<const int32_t>()),
        selectedCount(args.count()),
        gather(args.flag()),
        values(args),
        keysCount(args.count()) {
    for (i64 i = 0; i < keysCount; i++) keys[i] = SliceRecord(args);
  }
};

struct AttentionBackwardRecord {
  float* dq;
  i64 dqT;
  i64 dqH;
  float* dkeys;
  float* dvalues;
  const float* dout;
  i64 doutT;
  i64 doutH;
  const float* out;
  i64 outT;
  i64 outH;
  const float* q;
  i64 qT;
  i64 qH;
  const float* lse;
  i64 T;
  i64 H;
  i64 V;
  i64 S;
  i64 width;
  SequencesRecord sequences;
  float scale;
  i64 window;
  SliceRecord values;
  i64 keysCount;
  SliceRecord keys[MAX_SLICES];
  INLINE explicit AttentionBackwardRecord(Args& args)
      : dq(args.pointer<float>()),
        dqT(args.count()),
        dqH(args.count()),
        dkeys(args.pointer<float>()),
        dvalues(args.pointer<float>()),
        dout(args.pointer<const float>()),
        doutT(args.count()),
        doutH(args.count()),
        out(args.pointer<const float>()),
        outT(args.count()),
        outH(args.count()),
        q(args.pointer<const float>()),
        qT(args.count()),
        qH(args.count()),
        lse(args.pointer<const float>()),
        T(args.count()),
        H(args.count()),
        V(args.count()),
        S(args.count()),
        width(args.count()),
        sequences(args),
        scale(args.real()),
        window(args.count()),
        values(args),
        keysCount(args.count()) {
    for (i64 i = 0; i < keysCount; i++) keys[i] = SliceRecord(args);
  }
};

struct ProbabilitiesRecord {
  const float* lse;
  i64 H;
  i64 T;
  i64 S;
  float* p;
  i64 pH;
  i64 pT;
  const float* scores;
  i64 scoresH;
  i64 scoresT;
  INLINE explicit ProbabilitiesRecord(Args& args)
      : lse(args.pointer<const float>()),
        H(args.count()),
        T(args.count()),
        S(args.count()),
        p(args.pointer<float>()),
        pH(args.count()),
        pT(args.count()),
        scores(args.pointer<const float>()),
        scoresH(args.count()),
        scoresT(args.count()) {}
};

struct SumHeadsRecord {
  float* y;
  i64 yS;
  i64 yG;
  const float* x;
  i64 xS;
  i64 xH;
  i64 S;
  i64 G;
  i64 H;
  i64 n;
  INLINE explicit SumHeadsRecord(Args& args)
      : y(args.pointer<float>()),
        yS(args.count()),
        yG(args.count()),
        x(args.pointer<const float>()),
        xS(args.count()),
        xH(args.count()),
        S(args.count()),
        G(args.count()),
        H(args.count()),
        n(args.count()) {}
};

struct TrainingAttentionRecord {
  float* out;
  i64 outT;
  i64 outH;
  float* lse;
  const float* q;
  i64 qT;
  i64 qH;
  i64 T;
  i64 H;
  i64 V;
  i64 width;
  SequencesRecord sequences;
  float scale;
  i64 window;
  bool carry;
  SliceRecord values;
  i64 keysCount;
  SliceRecord keys[MAX_SLICES];
  INLINE explicit TrainingAttentionRecord(Args& args)
      : out(args.pointer<float>()),
        outT(args.count()),
        outH(args.count()),
        lse(args.pointer<float>()),
        q(args.pointer<const float>()),
        qT(args.count()),
        qH(args.count()),
        T(args.count()),
        H(args.count()),
        V(args.count()),
        width(args.count()),
        sequences(args),
        scale(args.real()),
        window(args.count()),
        carry(args.flag()),
        values(args),
        keysCount(args.count()) {
    for (i64 i = 0; i < keysCount; i++) keys[i] = SliceRecord(args);
  }
};

struct CombineExpertsRecord {
  float* y;
  const float* part;
  const float* weights;
  const int32_t* plan;
  const float* residual;
  i64 size;
  i64 T;
  i64 K;
  i64 D;
  INLINE explicit CombineExpertsRecord(Args& args)
      : y(args.pointer<float>()),
        part(args.pointer<const float>()),
        weights(args.pointer<const float>()),
        plan(args.pointer<const int32_t>()),
        residual(args.pointer<const float>()),
        size(args.count()),
        T(args.count()),
        K(args.count()),
        D(args.count()) {}
};

struct CombineExpertsBackwardRecord {
  float* dpart;
  float* dweights;
  const float* dy;
  const float* part;
  const float* weights;
  const int32_t* plan;
  i64 size;
  i64 T;
  i64 K;
  i64 D;
  INLINE explicit CombineExpertsBackwardRecord(Args& args)
      : dpart(args.pointer<float>()),
        dweights(args.pointer<float>()),
        dy(args.pointer<const float>()),
        part(args.pointer<const float>()),
        weights(args.pointer<const float>()),
        plan(args.pointer<const int32_t>()),
        size(args.count()),
        T(args.count()),
        K(args.count()),
        D(args.count()) {}
};

struct ExpertMatmulRecord {
  float* y;
  const float* x;
  const int32_t* plan;
  i64 perToken;
  i64 xRows;
  ExpertsRecord w;
  bool mustQuantise;
  INLINE explicit ExpertMatmulRecord(Args& args)
      : y(args.pointer<float>()),
        x(args.pointer<const float>()),
        plan(args.pointer<const int32_t>()),
        perToken(args.count()),
        xRows(args.count()),
        w(args),
        mustQuantise(args.flag()) {}
};

struct ExpertMatmulBackwardRecord {
  float* dx;
  const float* dy;
  const int32_t* plan;
  bool rounded;
  ExpertsRecord w;
  INLINE explicit ExpertMatmulBackwardRecord(Args& args)
      : dx(args.pointer<float>()),
        dy(args.pointer<const float>()),
        plan(args.pointer<const int32_t>()),
        rounded(args.flag()),
        w(args) {}
};

struct ExpertWeightBackwardRecord {
  float* dw;
  const float* dy;
  const float* x;
  const int32_t* plan;
  i64 perToken;
  i64 experts;
  i64 rows;
  i64 cols;
  bool rounded;
  INLINE explicit ExpertWeightBackwardRecord(Args& args)
      : dw(args.pointer<float>()),
        dy(args.pointer<const float>()),
        x(args.pointer<const float>()),
        plan(args.pointer<const int32_t>()),
        perToken(args.count()),
        experts(args.count()),
        rows(args.count()),
        cols(args.count()),
        rounded(args.flag()) {}
};

struct GroupByExpertRecord {
  int32_t* plan;
  const int32_t* indices;
  i64 assignments;
  i64 experts;
  INLINE explicit GroupByExpertRecord(Args& args)
      : plan(args.pointer<int32_t>()),
        indices(args.pointer<const int32_t>()),
        assignments(args.count()),
        experts(args.count()) {}
};

struct RouteRecord {
  int32_t* indices;
  float* weights;
  const float* logits;
  const float* bias;
  i64 E;
  i64 T;
  i64 K;
  bool sigmoid;
  i64 groups;
  i64 topkGroups;
  bool top2;
  bool zeroLosers;
  bool normalise;
  double scale;
  INLINE explicit RouteRecord(Args& args)
      : indices(args.pointer<int32_t>()),
        weights(args.pointer<float>()),
        logits(args.pointer<const float>()),
        bias(args.pointer<const float>()),
        E(args.count()),
        T(args.count()),
        K(args.count()),
        sigmoid(args.flag()),
        groups(args.count()),
        topkGroups(args.count()),
        top2(args.flag()),
        zeroLosers(args.flag()),
        normalise(args.flag()),
        scale(args.real64()) {}
};

struct RouteBackwardRecord {
  float* dlogits;
  const float* dweights;
  const float* logits;
  const int32_t* indices;
  i64 E;
  i64 T;
  i64 K;
  bool sigmoid;
  bool normalise;
  double scale;
  INLINE explicit RouteBackwardRecord(Args& args)
      : dlogits(args.pointer<float>()),
        dweights(args.pointer<const float>()),
        logits(args.pointer<const float>()),
        indices(args.pointer<const int32_t>()),
        E(args.count()),
        T(args.count()),
        K(args.count()),
        sigmoid(args.flag()),
        normalise(args.flag()),
        scale(args.real64()) {}
};

struct TrainingExpertMatmulRecord {
  float* y;
  const float* x;
  const int32_t* plan;
  i64 perToken;
  bool rounded;
  ExpertsRecord w;
  INLINE explicit TrainingExpertMatmulRecord(Args& args)
      : y(args.pointer<float>()),
        x(args.pointer<const float>()),
        plan(args.pointer<const int32_t>()),
        perToken(args.count()),
        rounded(args.flag()),
        w(args) {}
};

struct AdamWRecord {
  float* w;
  float* m;
  float* v;
  const float* g;
  i64 n;
  double rate;
  double beta1;
  double beta2;
  double eps;
  double decay;
  double correction1;
  double correction2;
  double gradientScale;
  INLINE explicit AdamWRecord(Args& args)
      : w(args.pointer<float>()),
        m(args.pointer<float>()),
        v(args.pointer<float>()),
        g(args.pointer<const float>()),
        n(args.count()),
        rate(args.real64()),
        beta1(args.real64()),
        beta2(args.real64()),
        eps(args.real64()),
        decay(args.real64()),
        correction1(args.real64()),
        correction2(args.real64()),
        gradientScale(args.real64()) {}
};

struct CrossEntropyRecord {
  float* loss;
  float* dlogits;
  const float* logits;
  const int32_t* targets;
  i64 T;
  i64 V;
  double scale;
  double smoothing;
  double zLoss;
  INLINE explicit CrossEntropyRecord(Args& args)
      : loss(args.pointer<float>()),
        dlogits(args.pointer<float>()),
        logits(args.pointer<const float>()),
        targets(args.pointer<const int32_t>()),
        T(args.count()),
        V(args.count()),
        scale(args.real64()),
        smoothing(args.real64()),
        zLoss(args.real64()) {}
};

struct DivergenceRecord {
  float* loss;
  float* dlogits;
  const float* logits;
  const float* wanted;
  i64 T;
  i64 V;
  double scale;
  INLINE explicit DivergenceRecord(Args& args)
      : loss(args.pointer<float>()),
        dlogits(args.pointer<float>()),
        logits(args.pointer<const float>()),
        wanted(args.pointer<const float>()),
        T(args.count()),
        V(args.count()),
        scale(args.real64()) {}
};

struct RelativeErrorRecord {
  float* loss;
  float* dx;
  const float* x;
  const float* wanted;
  i64 T;
  i64 D;
  double scale;
  INLINE explicit RelativeErrorRecord(Args& args)
      : loss(args.pointer<float>()),
        dx(args.pointer<float>()),
        x(args.pointer<const float>()),
        wanted(args.pointer<const float>()),
        T(args.count()),
        D(args.count()),
        scale(args.real64()) {}
};

struct SumSquaresRecord {
  float* y;
  const float* x;
  i64 n;
  INLINE explicit SumSquaresRecord(Args& args)
      : y(args.pointer<float>()),
        x(args.pointer<const float>()),
        n(args.count()) {}
};

struct IndexScoresRecord {
  float* scores;
  i64 scoresB;
  i64 width;
  const float* q;
  i64 qT;
  i64 qH;
  const float* weights;
  i64 weightsT;
  i64 H;
  SequencesRecord sequences;
  float scale;
  SliceRecord keys;
  INLINE explicit IndexScoresRecord(Args& args)
      : scores(args.pointer<float>()),
        scoresB(args.count()),
        width(args.count()),
        q(args.pointer<const float>()),
        qT(args.count()),
        qH(args.count()),
        weights(args.pointer<const float>()),
        weightsT(args.count()),
        H(args.count()),
        sequences(args),
        scale(args.real()),
        keys(args) {}
};

struct SelectKeysRecord {
  int32_t* selected;
  const float* scores;
  i64 scoresB;
  i64 width;
  i64 K;
  SequencesRecord sequences;
  INLINE explicit SelectKeysRecord(Args& args)
      : selected(args.pointer<int32_t>()),
        scores(args.pointer<const float>()),
        scoresB(args.count()),
        width(args.count()),
        K(args.count()),
        sequences(args) {}
};

struct DecaysRecord {
  float* y;
  i64 yT;
  i64 yH;
  const float* x;
  i64 xT;
  i64 xH;
  const float* logA;
  const float* bias;
  float floor;
  i64 T;
  i64 H;
  i64 n;
  INLINE explicit DecaysRecord(Args& args)
      : y(args.pointer<float>()),
        yT(args.count()),
        yH(args.count()),
        x(args.pointer<const float>()),
        xT(args.count()),
        xH(args.count()),
        logA(args.pointer<const float>()),
        bias(args.pointer<const float>()),
        floor(args.real()),
        T(args.count()),
        H(args.count()),
        n(args.count()) {}
};

struct DeltaRuleRecord {
  float* o;
  i64 oT;
  i64 oH;
  const float* q;
  i64 qT;
  i64 qH;
  const float* k;
  i64 kT;
  i64 kH;
  const float* v;
  i64 vT;
  i64 vH;
  const float* decay;
  i64 decayT;
  i64 decayH;
  const float* beta;
  i64 betaT;
  i64 H;
  i64 G;
  i64 dk;
  i64 dv;
  bool perChannel;
  i64 blockTokens;
  i64 offset;
  SequencesRecord sequences;
  INLINE explicit DeltaRuleRecord(Args& args)
      : o(args.pointer<float>()),
        oT(args.count()),
        oH(args.count()),
        q(args.pointer<const float>()),
        qT(args.count()),
        qH(args.count()),
        k(args.pointer<const float>()),
        kT(args.count()),
        kH(args.count()),
        v(args.pointer<const float>()),
        vT(args.count()),
        vH(args.count()),
        decay(args.pointer<const float>()),
        decayT(args.count()),
        decayH(args.count()),
        beta(args.pointer<const float>()),
        betaT(args.count()),
        H(args.count()),
        G(args.count()),
        dk(args.count()),
        dv(args.count()),
        perChannel(args.flag()),
        blockTokens(args.count()),
        offset(args.count()),
        sequences(args) {}
};

struct ShortConvRecord {
  float* y;
  i64 yT;
  const float* x;
  i64 xT;
  const float* w;
  const float* bias;
  const float* before;
  i64 beforeT;
  const float* after;
  i64 afterT;
  bool silu;
  i64 C;
  i64 K;
  i64 blockTokens;
  i64 offset;
  SequencesRecord sequences;
  INLINE explicit ShortConvRecord(Args& args)
      : y(args.pointer<float>()),
        yT(args.count()),
        x(args.pointer<const float>()),
        xT(args.count()),
        w(args.pointer<const float>()),
        bias(args.pointer<const float>()),
        before(args.pointer<const float>()),
        beforeT(args.count()),
        after(args.pointer<const float>()),
        afterT(args.count()),
        silu(args.flag()),
        C(args.count()),
        K(args.count()),
        blockTokens(args.count()),
        offset(args.count()),
        sequences(args) {}
};

struct AddToVectorRecord {
  float* to;
  float add;
  WeightRecord w;
  INLINE explicit AddToVectorRecord(Args& args)
      : to(args.pointer<float>()),
        add(args.real()),
        w(args) {}
};

struct PackRecord {
  u8* to;
  const u8* from;
  Dtype dtype;
  i64 rowBytes;
  i64 cols;
  i64 firstTile;
  i64 rows;
  INLINE explicit PackRecord(Args& args)
      : to(args.pointer<u8>()),
        from(args.pointer<const u8>()),
        dtype(args.dtype()),
        rowBytes(args.count()),
        cols(args.count()),
        firstTile(args.count()),
        rows(args.count()) {}
};

struct PackedSizeRecord {
  double* to;
  Dtype dtype;
  i64 rows;
  i64 cols;
  INLINE explicit PackedSizeRecord(Args& args)
      : to(args.pointer<double>()),
        dtype(args.dtype()),
        rows(args.count()),
        cols(args.count()) {}
};

struct TransposeRecord {
  u8* to;
  const u8* from;
  i64 bytes;
  i64 rows;
  i64 cols;
  i64 first;
  i64 stored;
  INLINE explicit TransposeRecord(Args& args)
      : to(args.pointer<u8>()),
        from(args.pointer<const u8>()),
        bytes(args.count()),
        rows(args.count()),
        cols(args.count()),
        first(args.count()),
        stored(args.count()) {}
};

}  // namespace latentkit
