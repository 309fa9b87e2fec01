public import CausalKernelInterface

/// What the arithmetic is written over: each requirement of `KernelSet` is met once, in an extension of this protocol
/// in one of the files beside this one, and compiled for both precisions below.
public protocol VectorKernels: KernelSet {
    /// One vector register of scalars.
    associatedtype Vector: Lanes where Vector.Scalar == Scalar
}

/// Kernels in single precision.
public enum FloatKernels: VectorKernels {
    public typealias Scalar = Float
    public typealias Vector = Singles
}

/// Kernels in double precision.
public enum DoubleKernels: VectorKernels {
    public typealias Scalar = Double
    public typealias Vector = Doubles
}
