public import CausalKernelInterface

extension VectorKernels {
    public static func squaredError(_ prediction: UnsafePointer<Scalar>, _ target: UnsafePointer<Scalar>, weights: UnsafePointer<Scalar>?,
                                    scale: Double, gradient: UnsafeMutablePointer<Scalar>?, accumulate: Bool, count: Int) -> Double {
        guard weights == nil else {
            return entries(prediction, target, weights, scale, gradient, accumulate, count) { (Double($0) * Double($0), 2 * $0) }
        }
        let lanes = Vector.scalarCount, two = Vector(repeating: 2), factor = Vector(repeating: Scalar(scale))
        var sums = SIMD8<Double>(repeating: 0), i = 0
        while i + lanes <= count {
            let difference = Vector.load(prediction + i) - .load(target + i)
            sums = difference.squares(addedTo: sums)
            if let gradient {
                let slope = two * difference * factor
                (accumulate ? .load(gradient + i) + slope : slope).store(to: gradient + i)
            }
            i += lanes
        }
        return sums.sum() + entries(prediction + i, target + i, nil, scale, gradient.map { $0 + i }, accumulate, count - i) { (Double($0) * Double($0), 2 * $0) }
    }

    public static func absoluteError(_ prediction: UnsafePointer<Scalar>, _ target: UnsafePointer<Scalar>, weights: UnsafePointer<Scalar>?,
                                     scale: Double, gradient: UnsafeMutablePointer<Scalar>?, accumulate: Bool, count: Int) -> Double {
        entries(prediction, target, weights, scale, gradient, accumulate, count) { difference in
            (Double(abs(difference)), sign(difference))
        }
    }

    /// Sums `loss(prediction - target)`, a pair of value and derivative, over the entries that weigh anything.
    @inline(__always)
    private static func entries(_ prediction: UnsafePointer<Scalar>, _ target: UnsafePointer<Scalar>, _ weights: UnsafePointer<Scalar>?,
                                _ scale: Double, _ gradient: UnsafeMutablePointer<Scalar>?, _ accumulate: Bool, _ count: Int,
                                _ loss: (Scalar) -> (value: Double, derivative: Scalar)) -> Double {
        var sum = 0.0
        let factor = Scalar(scale)
        for i in 0..<count {
            let weight = weights?[i] ?? 1
            var derivative: Scalar = 0
            if weight != 0 {
                let entry = loss(prediction[i] - target[i])
                sum += Double(weight) * entry.value
                derivative = entry.derivative * (weight * factor)
            }
            if let gradient { gradient[i] = accumulate ? gradient[i] + derivative : derivative }
        }
        return sum
    }

    public static func crossEntropy(logits: UnsafePointer<Scalar>, classes: UnsafePointer<Scalar>, weights: UnsafePointer<Scalar>?,
                                    scale: Double, gradient: UnsafeMutablePointer<Scalar>?, accumulate: Bool,
                                    rows: Int, columns: Int) -> Double {
        var sum = 0.0
        for i in 0..<rows {
            let row = logits + i * columns
            let weight = weights?[i] ?? 1
            let out = gradient.map { $0 + i * columns }
            guard weight != 0 else {
                if let out, !accumulate { out.update(repeating: 0, count: columns) }
                continue
            }
            // Shifted by the largest logit, so that no exponential overflows.
            var largest = row[0]
            for j in 1..<max(columns, 1) where row[j] > largest || row[j].isNaN { largest = row[j] }
            var total = 0.0
            for j in 0..<columns { total += Double(Vector.exp(row[j] - largest)) }
            let logTotal = Double(Vector.log(Scalar(total)))
            // The caller has looked at the classes; whoever writes there meanwhile gets a wrong loss, and reads no other memory.
            let index = classes[i], chosen = index >= 0 && index < Scalar(columns) ? Int(index) : 0
            sum += Double(weight) * (logTotal - Double(row[chosen] - largest))
            if let out {
                let factor = weight * Scalar(scale)
                let inverse = Scalar(1 / total)
                for j in 0..<columns {
                    let probability = Vector.exp(row[j] - largest) * inverse
                    let derivative = (probability - (j == chosen ? 1 : 0)) * factor
                    out[j] = accumulate ? out[j] + derivative : derivative
                }
            }
        }
        return sum
    }

    public static func absoluteSum(_ x: UnsafePointer<Scalar>, scale: Double, addingTo gradient: UnsafeMutablePointer<Scalar>?, count: Int) -> Double {
        var sum = 0.0
        for i in 0..<count { sum += Double(abs(x[i])) }
        if let gradient {
            let factor = Scalar(scale)
            for i in 0..<count { gradient[i] += sign(x[i]) * factor }
        }
        return sum
    }

    /// -1, 0 or 1; NaN for NaN.
    @inline(__always)
    private static func sign(_ x: Scalar) -> Scalar { x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x }
}
