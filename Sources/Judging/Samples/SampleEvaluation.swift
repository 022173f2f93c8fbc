import Diagnostics
import Flows
import Foundation
import ImageFiles
import Inversion
import Maps
import Numerics
import Problems
import Randomness
import Tensors
import Training
import Workers

/// Draws of a prior against test pictures and training pictures: features, neighbours.
package struct SampleEvaluation {
  /// Groups that leave out a fiftieth each give an error of the distance good to a tenth.
  static let groups = 50
  /// Fewer pictures make no covariance worth the name, nor groups.
  package static let fewest = 2 * groups

  let model: PAEModel
  /// Draws, and at most as many test and training pictures; 0 for none of all this.
  let samples: Int
  /// Name or path; nil for the default one, which may be missing.
  let classifierName: String?
  let seed: UInt64
  let pool: WorkerPool
  /// Called with what begins; returns false to stop.
  let progress: (String) -> Bool

  package init(
    model: PAEModel, samples: Int, classifierName: String? = nil, seed: UInt64, pool: WorkerPool,
    progress: @escaping (String) -> Bool
  ) {
    self.model = model
    self.samples = samples
    self.classifierName = classifierName
    self.seed = seed
    self.pool = pool
    self.progress = progress
  }

  /// - Parameters:
  ///   - tests: pictures of the model's size; `codes`, n × K, are theirs.
  ///   - training: the pictures of the same data set to train on; nil where none are known.
  package func run(tests: ImageSet, codes: [Float], training: ImageSet?) throws -> SampleQuality? {
    guard samples > 0 else { return nil }
    let count = min(samples, tests.count)
    var notes: [String] = []
    let classifier = try classifier(&notes)
    guard count >= Self.fewest else {
      return SampleQuality(
        features: nil, memorization: nil,
        notes: ["all of samples, since \(count) pictures are fewer than \(Self.fewest)"],
        count: count, seed: seed)
    }
    try begin("draws of the prior")
    let latent = model.latentDimension
    let drawn = try MappedRows(
      rows: Self.base(count, latent: latent, seed: seed), by: model.generator, pool: pool)
    let reconstructions = try MappedRows(count: count, by: model.decoder, pool: pool) {
      row, target in
      for k in 0..<latent { target[k] = codes[row * latent + k] }
    }
    let testSet = ImageSubset(tests, Array(0..<count))
    var features: FeatureQuality?
    if let classifier {
      try begin("codes of the training pictures")
      let known = try training.map {
        try MappedRows($0, by: model.encoder, pool: pool).values.array
      }
      let gaussian = try FittedGaussian(codes: known ?? codes, dimension: latent)
      let points = Self.normals(count, latent: latent, seed: seed, "Gaussian codes")
        .map(gaussian.point)
      let gaussianCodes = try MappedRows(rows: points, by: model.decoder, pool: pool)
      try begin("features")
      features = try FeatureQuality(
        classifier: classifier.value, digest: classifier.digest, tests: testSet,
        sets: [
          (.samples, drawn), (.gaussianCodes, gaussianCodes), (.reconstructions, reconstructions),
        ],
        training: training.map { ImageSubset($0, Array(0..<min(count, $0.count))) }, pool: pool)
    }
    let memorization = try training.map { training in
      try begin("nearest training pictures")
      return try self.memorization(
        samples: EuclideanPoints(drawn), reconstructions: EuclideanPoints(reconstructions),
        tests: testSet,
        training: training)
    }
    if training == nil {
      notes.append(
        "training pictures as floor and for the nearest ones: only fashion-mnist and mnist have them"
      )
    }
    return SampleQuality(
      features: features, memorization: memorization, notes: notes, count: count,
      seed: seed)
  }

  private func begin(_ what: String) throws {
    if !progress(what) { throw PipelineError("interrupted", exitCode: 130) }
  }

  /// Nil, with a note, where there is none for pictures of this size.
  private func classifier(
    _ notes: inout [String]
  ) throws -> (value: Classifier, digest: String)? {
    let name = classifierName ?? ModelLocator.defaultClassifier
    guard classifierName != nil || (try? ModelLocator.classifierPath(of: name)) != nil else {
      notes.append(
        "features: there is no classifier '\(name)'; paeinvert train-classifier makes one")
      return nil
    }
    let path = try ModelLocator.classifierPath(of: name)
    let classifier = try Classifier.read(path: path)
    guard classifier.network.domain == model.imageShape else {
      notes.append(
        "features: the classifier '\(classifier.description.name)' is for pictures of "
          + "\(classifier.network.domain), these are \(model.imageShape)")
      return nil
    }
    return (classifier, try SHA256.hexDigest(ofFile: path))
  }

  /// u ~ N(0, I) of the draws; the first of many are those of few.
  static func base(_ count: Int, latent: Int, seed: UInt64) -> [[Double]] {
    normals(count, latent: latent, seed: seed, "draws")
  }

  private static func normals(
    _ count: Int, latent: Int, seed: UInt64, _ name: StaticString
  ) -> [[Double]] {
    var stream = RandomKey(seed: seed).child("evaluate").child(name).stream()
    return (0..<count).map { _ in stream.normals(latent) }
  }

  private func memorization(
    samples: EuclideanPoints, reconstructions: EuclideanPoints, tests: any ImageSource,
    training: ImageSet
  ) throws -> Memorization {
    let known = EuclideanPoints(training)
    return Memorization(
      training: training.count, samples: samples.nearest(in: known, pool: pool),
      reconstructions: reconstructions.nearest(in: known, pool: pool).map(\.distance),
      tests: EuclideanPoints(tests).nearest(in: known, pool: pool).map(\.distance))
  }
}

extension FeatureQuality {
  /// Sets of painted pictures, and training pictures if there are any, against as many test pictures.
  fileprivate init(
    classifier: Classifier, digest: String, tests: any ImageSource,
    sets: [(name: Name, pictures: MappedRows)], training: (any ImageSource)?, pool: WorkerPool
  ) throws {
    let map = classifier.features
    let real = try MappedRows(tests, by: map, pool: pool)
    var features = try sets.map { ($0.name, try $0.pictures.mapped(by: map, pool: pool)) }
    if let training { features.append((.training, try MappedRows(training, by: map, pool: pool))) }
    let moments = GroupedMoments(real)
    // About their mean, for the sake of single precision.
    let centre = moments.moments().mean.map { Float($0) }
    let realPoints = EuclideanPoints(real).about(centre)
    let radii = realPoints.neighbourhoods(k: PrecisionRecall.neighbours, pool: pool)
    var own: [Name: GroupedMoments] = [:]
    for (name, rows) in features { own[name] = GroupedMoments(rows) }
    rows = features.map { name, rows in
      let neighbours = PrecisionRecall(
        of: EuclideanPoints(rows).about(centre), against: realPoints, realRadii: radii, pool: pool)
      return Row(
        name: name, frechet: FrechetDistance.between(own[name]!, moments),
        precision: neighbours.precision, recall: neighbours.recall)
    }
    samplesToReconstructions = FrechetDistance.between(own[.samples]!, own[.reconstructions]!)
    self.classifier = classifier.description.name
    self.digest = digest
    dimension = map.codomain.count
    count = tests.count
  }
}

extension GroupedMoments {
  fileprivate init(_ rows: MappedRows) {
    self.init(
      rows: rows.values.array, dimension: rows.dimension, groups: SampleEvaluation.groups)
  }
}

extension MappedRows {
  fileprivate init(
    rows: [[Double]], by map: any DifferentiableMap, pool: WorkerPool
  ) throws(PlanError) {
    try self.init(count: rows.count, by: map, pool: pool) { row, target in
      for (index, value) in rows[row].enumerated() { target[index] = Float(value) }
    }
  }
}

extension EuclideanPoints {
  /// Pictures as points, one coordinate a pixel and channel.
  fileprivate init(_ images: any ImageSource) {
    let size = images.shape.count
    let values = FloatBuffer(images.count * size)
    for index in 0..<images.count { images.copy(index, into: values.pointer + index * size) }
    self.init(values, dimension: size)
  }
}
