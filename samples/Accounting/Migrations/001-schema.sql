-- Runs at every start: no statement changes what already exists.

CREATE TABLE IF NOT EXISTS organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS clients (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations,
    business_name text NOT NULL,
    primary_contact_email text NOT NULL,
    industry text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'prospect', 'inactive')),
    annual_revenue numeric(14, 2) NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS clients_organization ON clients (organization_id, created_at DESC);
CREATE INDEX IF NOT EXISTS clients_newest ON clients (created_at DESC, id);

CREATE TABLE IF NOT EXISTS invoices (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations,
    client_id uuid NOT NULL REFERENCES clients,
    number text NOT NULL,
    invoice_date date NOT NULL,
    total_amount numeric(14, 2) NOT NULL CHECK (total_amount >= 0),
    paid_amount numeric(14, 2) NOT NULL DEFAULT 0 CHECK (paid_amount >= 0),
    balance_amount numeric(14, 2) NOT NULL CHECK (balance_amount >= 0),
    status text NOT NULL DEFAULT 'sent' CHECK (status IN ('sent', 'partial', 'paid', 'overdue')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, number),
    CHECK (paid_amount + balance_amount = total_amount)
);
CREATE INDEX IF NOT EXISTS invoices_newest ON invoices (organization_id, created_at DESC, id);
CREATE INDEX IF NOT EXISTS invoices_date ON invoices (organization_id, invoice_date);

CREATE TABLE IF NOT EXISTS documents (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations,
    client_id uuid NOT NULL REFERENCES clients,
    name text NOT NULL,
    category text NOT NULL,
    ocr_status text NOT NULL DEFAULT 'pending' CHECK (ocr_status IN ('pending', 'processing', 'completed', 'failed')),
    ocr_text text,
    ocr_claimed_at timestamptz,
    ocr_processed_at timestamptz,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS documents_organization ON documents (organization_id, category, ocr_status) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS documents_ocr_queue ON documents (created_at, id) WHERE ocr_status IN ('pending', 'processing');

CREATE TABLE IF NOT EXISTS job_executions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations,
    job_name text NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'completed', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    error text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS job_executions_failed ON job_executions (created_at, id) WHERE status = 'failed';

CREATE TABLE IF NOT EXISTS audit_log (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations,
    action text NOT NULL,
    entity_type text NOT NULL,
    entity_id uuid NOT NULL,
    new_values jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS audit_log_entity ON audit_log (entity_type, entity_id, created_at);
