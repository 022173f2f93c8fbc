import Foundation

/// The loss of a classifier, −ln p(label) with p = softmax of its outputs y:
/// ln Σ_c e^{y_c} − y_label, nats; its gradient is p − 1[c = label].
enum CrossEntropy {
  /// Stores the gradient of the mean over lanes in place of `outputs`.
  /// - Parameter outputs: lanes × classes.
  /// - Returns: the sum over lanes of the loss.
  static func pullBack(
    _ outputs: UnsafeMutablePointer<Float>, labels: [UInt8], classes: Int
  ) -> Double {
    var loss = 0.0
    let share = 1 / Double(labels.count)
    for (lane, label) in labels.enumerated() {
      let y = outputs + lane * classes
      let value = value(y, label: Int(label), classes: classes).loss
      loss += value
      // value = ln Σ e^y − y_label, so that p_c = exp(y_c − y_label − value).
      let reference = Double(y[Int(label)]) + value
      for c in 0..<classes {
        let probability = exp(Double(y[c]) - reference)
        y[c] = Float((probability - (c == Int(label) ? 1 : 0)) * share)
      }
    }
    return loss
  }

  /// The loss of one picture and the class of its largest output, the first of equal ones.
  static func value(
    _ outputs: UnsafePointer<Float>, label: Int, classes: Int
  ) -> (loss: Double, best: Int) {
    var best = 0
    for c in 1..<classes where outputs[c] > outputs[best] { best = c }
    // The largest is taken out so that nothing overflows.
    let largest = Double(outputs[best])
    var sum = 0.0
    for c in 0..<classes { sum += exp(Double(outputs[c]) - largest) }
    return (largest + log(sum) - Double(outputs[label]), best)
  }
}
