import Maps
import Networks
import Tensors
import Workers

/// How well a classifier tells pictures whose class is known apart.
package struct ClassifierMeasurements {
  /// The share of pictures whose largest output is that of their label.
  package let accuracy: Double
  /// Mean of −ln p(label), nats.
  package let crossEntropy: Double

  /// - Precondition: one label a picture, below the number of outputs.
  package init(
    _ images: any ImageSource, labels: [UInt8], network: Network, pool: WorkerPool
  ) throws(PlanError) {
    precondition(labels.count == images.count && !labels.isEmpty)
    let outputs = try MappedRows(images, by: network, pool: pool)
    precondition(labels.allSatisfy { $0 < outputs.dimension })
    var (loss, correct) = (0.0, 0)
    for (index, label) in labels.enumerated() {
      let value = CrossEntropy.value(
        outputs.values.pointer + index * outputs.dimension, label: Int(label),
        classes: outputs.dimension)
      loss += value.loss
      if value.best == Int(label) { correct += 1 }
    }
    accuracy = Double(correct) / Double(labels.count)
    crossEntropy = loss / Double(labels.count)
  }
}
