CREATE TYPE customer_account_type AS ENUM ('customer', 'partner');
ALTER TABLE customers ADD COLUMN account_type customer_account_type NOT NULL DEFAULT 'customer';
