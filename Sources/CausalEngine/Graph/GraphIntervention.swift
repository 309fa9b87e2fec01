public import CausalKernels

extension Graph {
    /// The graph after do() on the variables that `mask` sets: without the edges into them. What they cause, they go on causing.
    ///
    /// - Throws: `.shape` unless the mask has one entry a variable.
    public func intervening(on mask: [Bool]) throws(EngineError) -> Graph {
        try check(mask)
        return try filtered { edge in
            !(edge.firstMark == .arrow && mask[edge.first]) && !(edge.secondMark == .arrow && mask[edge.second])
        }
    }

    /// A copy of a matrix, read as [parent, child], with the columns of the variables that `mask` sets made 0: the edges into them.
    /// (A layer's weight of shape (outputs, inputs) is the transpose of such a matrix.)
    ///
    /// - Throws: `.shape` unless there is one column, and one entry of the mask, a variable.
    public func maskEdges<Scalar: EngineScalar>(_ weight: Matrix<Scalar>, mask: [Bool]) throws(EngineError) -> Matrix<Scalar> {
        var masked = weight
        try weight.withView { weight throws(EngineError) in
            try masked.withMutableView { masked throws(EngineError) in try maskEdges(weight, mask: mask, into: masked) }
        }
        return masked
    }

    package func maskEdges<Scalar: EngineScalar>(_ weight: MatrixView<Scalar>, mask: [Bool], into masked: MutableMatrixView<Scalar>)
        throws(EngineError) {
        try check(mask)
        guard weight.columns == count else {
            throw EngineError(.shape, "weight of shape \(weight.shape), expected \(count) columns, one a variable")
        }
        for row in 0..<weight.rows {
            for j in 0..<count { masked.pointer[row * count + j] = mask[j] ? 0 : weight.pointer[row * count + j] }
        }
    }

    private func check(_ mask: [Bool]) throws(EngineError) {
        guard mask.count == count else { throw EngineError(.shape, "mask of \(mask.count) entries, expected \(count), one a variable") }
    }
}
